// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/auspex-otel/auspex/internal/backtest"
)

// Truth holds the windows with known faults, by the path of the file, with slashes,
// relative to the input folder. The name "path.csv: SERIES" is one series of a file.
type Truth map[string][]backtest.Window

// ReadTruth reads {"path.csv": [["start", "end"], ...]}.
func ReadTruth(path string) (Truth, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var text map[string][][]string
	if err := json.Unmarshal(b, &text); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	truth := Truth{}
	for name, windows := range text {
		list := make([]backtest.Window, len(windows))
		for i, w := range windows {
			if list[i], err = parseWindow(w); err != nil {
				return nil, fmt.Errorf("%s: %q, window %d: %w", path, name, i+1, err)
			}
		}
		truth[filepath.ToSlash(filepath.Clean(name))] = list
	}
	return truth, nil
}

func parseWindow(text []string) (w backtest.Window, err error) {
	if len(text) != 2 {
		return w, fmt.Errorf("must have a start and an end, has %d times", len(text))
	}
	if w.Start, err = ParseTime(text[0]); err != nil {
		return w, fmt.Errorf("%q is %w", text[0], err)
	}
	if w.End, err = ParseTime(text[1]); err != nil {
		return w, fmt.Errorf("%q is %w", text[1], err)
	}
	if w.End.Before(w.Start) {
		return w, fmt.Errorf("ends at %s, before it starts", text[1])
	}
	return w, nil
}

// without returns the names without a file or series.
func (t Truth) without(files []*file) (unknown []string) {
	known := map[string]bool{}
	for _, f := range files {
		known[f.name] = true
		for _, series := range f.order {
			known[series.summary.Name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if !known[name] {
			unknown = append(unknown, name)
		}
	}
	return unknown
}
