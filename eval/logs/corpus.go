// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// corpus is the labeled log of one system.
type corpus struct {
	name  string
	lines []string
	truth labels
}

const truthSuffix = "_2k.log_structured.csv"

// readCorpora reads every labeled log below dir: dir/<name>/<name>_2k.log_structured.csv.
func readCorpora(dir string) ([]corpus, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"+truthSuffix))
	if err != nil {
		return nil, err
	}
	var list []corpus
	for _, file := range files {
		c, err := readCorpus(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		list = append(list, c)
	}
	// The order must not depend on the names of the files.
	slices.SortFunc(list, func(a, b corpus) int { return slices.Compare(a.lines, b.lines) })
	return list, nil
}

func readCorpus(file string) (corpus, error) {
	f, err := os.Open(file)
	if err != nil {
		return corpus{}, err
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	r.LazyQuotes = true
	rows, err := r.ReadAll()
	if err != nil {
		return corpus{}, err
	}
	c := corpus{name: filepath.Base(filepath.Dir(file))}
	content, group, template := slices.Index(rows[0], "Content"), slices.Index(rows[0], "EventId"), slices.Index(rows[0], "EventTemplate")
	if min(content, group, template) < 0 {
		return corpus{}, errors.New("the header must have the columns Content, EventId, and EventTemplate")
	}
	for _, row := range rows[1:] {
		c.lines = append(c.lines, row[content])
		c.truth.group = append(c.truth.group, row[group])
		c.truth.template = append(c.truth.template, row[template])
	}
	return c, nil
}
