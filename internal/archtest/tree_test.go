// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const repository = "../.."

func TestImportLaw(t *testing.T) {
	tree := readTree(t, repository)
	require.Greater(t, len(tree), 20, "the walk found too little to judge")
	assert.Empty(t, imports(tree))
}

func TestEveryPackageHasADocComment(t *testing.T) {
	assert.Empty(t, undocumented(readTree(t, repository)))
}

// The checks must report a broken tree, otherwise they prove nothing.
func TestBrokenTreeIsReported(t *testing.T) {
	tree := readTree(t, "testdata/broken")
	assert.Equal(t, []string{
		"cmd/tool/main.go: imports internal/peertest, which is for tests only",
		"internal/detect/impure/impure.go: is pure and imports go.opentelemetry.io/collector/pdata/pmetric: only the standard library and other pure packages are allowed",
		"internal/detect/impure/impure_test.go: is pure and imports go.opentelemetry.io/collector/pdata/plog: only the standard library and other pure packages are allowed",
		"internal/engine/judge/judge.go: is judge and imports internal/engine/logs, which is signal: imports go downward",
		"internal/engine/logs/logs.go: imports internal/engine/spans: a signal never imports another",
		"internal/engine/spans/spans.go: is signal and imports internal/engine, which is engine: imports go downward",
		"internal/misplaced/misplaced.go: has no place in the import law: add its folder to the table layers in internal/archtest",
		"internal/peertest/peertest.go: imports internal/engine: test support knows nothing of the product",
		"internal/series/series.go: is foundation and imports internal/engine, which is engine: imports go downward",
		"receiver/areceiver/areceiver.go: imports processor/bprocessor: a component never imports another",
	}, imports(tree))
	assert.Equal(t, []string{"extension/undocumented"}, undocumented(tree))
}

// file is a parsed Go file: its package clause, comments and imports.
type file struct {
	name string // relative to the root, with slashes
	*ast.File
}

func (f file) pkg() pkg {
	return pkg{path: filepath.ToSlash(filepath.Dir(f.name)), test: strings.HasSuffix(f.name, "_test.go")}
}

func (f file) importPaths() []string {
	paths := make([]string, 0, len(f.Imports))
	for _, spec := range f.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// readTree parses every Go file of the module below root, without nested modules, testdata, and
// hidden folders.
func readTree(t *testing.T, root string) []file {
	t.Helper()
	var files []file
	fset := token.NewFileSet()
	require.NoError(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != root && foreignDir(name, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(fset, name, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		files = append(files, file{name: filepath.ToSlash(rel), File: parsed})
		return err
	}))
	return files
}

func foreignDir(name, base string) bool {
	if base == "testdata" || base == "bin" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(name, "go.mod"))
	return err == nil
}

// imports returns every violation of the import rules, sorted, each once per file.
func imports(tree []file) []string {
	var breaches []string
	for _, f := range tree {
		targets := f.importPaths()
		if len(targets) == 0 {
			targets = []string{"fmt"} // reports whether the package is in layers
		}
		for _, target := range targets {
			if why := judge(f.pkg(), target); why != "" {
				breaches = append(breaches, f.name+": "+why)
			}
		}
	}
	slices.Sort(breaches)
	return slices.Compact(breaches)
}

// undocumented returns the packages without a doc comment, except those with only generated code
// or tests.
func undocumented(tree []file) []string {
	written, documented := map[string]bool{}, map[string]bool{}
	for _, f := range tree {
		p := f.pkg()
		if p.test {
			continue
		}
		if f.Doc != nil {
			documented[p.path] = true
		}
		if !ast.IsGenerated(f.File) {
			written[p.path] = true
		}
	}
	var missing []string
	for p := range written {
		if !documented[p] {
			missing = append(missing, p)
		}
	}
	slices.Sort(missing)
	return missing
}
