// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The fields of an embedded struct read as the owner's, which hides who owns the state.
func TestEngineEmbedsNoStruct(t *testing.T) {
	var found []string
	files := 0
	for _, f := range readTree(t, repository) {
		if p := f.pkg(); p.test || !slices.Contains([]layer{judging, signal, engine}, layerOf(p.path)) || !strings.HasPrefix(p.path, "internal/engine") {
			continue
		}
		files++
		parsed, err := parser.ParseFile(token.NewFileSet(), path.Join(repository, f.name), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		found = append(found, embedded(f.name, parsed)...)
	}
	require.Greater(t, files, 20, "the walk found too little to judge")
	assert.Empty(t, found)
}

func TestEmbeddedStructIsReported(t *testing.T) {
	parsed, err := parser.ParseFile(token.NewFileSet(), "a.go", `package a
type mark struct{ score float64 }
type told struct {
	*mark
	until int64
}
var shared struct{ sync.Mutex }
`, 0)
	require.NoError(t, err)
	assert.Equal(t, []string{"a.go: a struct embeds mark: name the field", "a.go: a struct embeds Mutex: name the field"}, embedded("a.go", parsed))
}

// embedded lists the fields without a name of all structs of a file.
func embedded(name string, f *ast.File) (found []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.StructType)
		if !ok {
			return true
		}
		for _, field := range s.Fields.List {
			if len(field.Names) == 0 {
				found = append(found, fmt.Sprintf("%s: a struct embeds %s: name the field", name, typeName(field.Type)))
			}
		}
		return true
	})
	return found
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.IndexExpr:
		return typeName(e.X)
	default:
		return fmt.Sprintf("%T", e)
	}
}
