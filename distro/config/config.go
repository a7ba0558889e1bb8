// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
)

const extension = ".yaml"

//go:embed *.yaml
var files embed.FS

// Names returns the names of the shipped configurations in alphabetical order.
func Names() []string {
	found, err := fs.Glob(files, "*"+extension)
	if err != nil {
		panic(err) // The pattern is a constant, so this is a mistake in this file.
	}
	names := make([]string, 0, len(found))
	for _, f := range found {
		names = append(names, strings.TrimSuffix(f, extension))
	}
	slices.Sort(names)
	return names
}

// Read returns the YAML of a shipped configuration, and whether it exists.
func Read(name string) ([]byte, bool) {
	if !slices.Contains(Names(), name) {
		return nil, false
	}
	text, err := files.ReadFile(name + extension)
	return text, err == nil
}
