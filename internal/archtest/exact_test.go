// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/packages"
)

// exactMath lists the functions of package math whose results IEEE 754 defines to the last bit. The others differ
// between processors: package internal/exact replaces them.
var exactMath = []string{
	"Abs", "Ceil", "Copysign", "Float32bits", "Float32frombits", "Float64bits", "Float64frombits", "Floor", "Frexp", "Inf", "IsInf", "IsNaN",
	"Ldexp", "Max", "Min", "Mod", "Modf", "NaN", "Nextafter", "Nextafter32", "Pow10", "Round", "RoundToEven", "Signbit", "Sqrt", "Trunc",
}

// Pure packages and the engine compute the same bits on every processor. See package internal/exact.
func TestSameBitsOnEveryProcessor(t *testing.T) {
	root, err := filepath.Abs(repository)
	require.NoError(t, err)
	patterns := []string{"./internal/engine/..."}
	for dir, l := range layers {
		if l == pure {
			patterns = append(patterns, "./"+dir+"/...")
		}
	}
	loaded, err := packages.Load(&packages.Config{
		Dir:  root,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo,
	}, patterns...)
	require.NoError(t, err)
	require.Greater(t, len(loaded), 30, "too few packages were loaded")
	for _, p := range loaded {
		require.Empty(t, p.Errors, p.PkgPath)
		for _, finding := range inexact(p.Fset, p.TypesInfo, p.Syntax) {
			t.Error(strings.TrimPrefix(finding, root+"/"))
		}
	}
}

func TestInexactMathIsReported(t *testing.T) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "testdata/inexact.go", nil, parser.ParseComments)
	require.NoError(t, err)
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	_, err = (&types.Config{Importer: importer.ForCompiler(fset, "source", nil)}).Check("sample", fset, []*ast.File{f}, info)
	require.NoError(t, err)
	var want []string
	for _, group := range f.Comments {
		for _, c := range group.List {
			if text, ok := strings.CutPrefix(c.Text, "// want "); ok {
				want = append(want, fmt.Sprintf("testdata/inexact.go:%d: %s", fset.Position(c.Pos()).Line, text))
			}
		}
	}
	require.NotEmpty(t, want)
	assert.Equal(t, want, inexact(fset, info, []*ast.File{f}))
}

// inexact returns the calls and products of the files whose bits may differ between processors.
func inexact(fset *token.FileSet, info *types.Info, files []*ast.File) (findings []string) {
	report := func(n ast.Node, format string, args ...any) {
		at := fset.Position(n.Pos())
		findings = append(findings, fmt.Sprintf("%s:%d: %s", at.Filename, at.Line, fmt.Sprintf(format, args...)))
	}
	for _, f := range files {
		ast.PreorderStack(f, nil, func(n ast.Node, stack []ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if f, ok := info.Uses[n.Sel].(*types.Func); ok && f.Pkg() != nil && f.Pkg().Path() == "math" && !slices.Contains(exactMath, f.Name()) {
					report(n, "math.%s differs between processors: use internal/exact", f.Name())
				}
			case *ast.AssignStmt:
				if n.Tok == token.MUL_ASSIGN && isFloat(info, n.Lhs[0]) {
					report(n, "x *= y may be fused with a later sum: write x = float64(x * y)")
				}
			case *ast.BinaryExpr:
				if n.Op == token.MUL && isFloat(info, n) && !rounded(info, stack) {
					report(n, "the product may be fused with a sum: write float64(%s)", types.ExprString(n))
				}
			}
			return true
		})
	}
	return findings
}

// isFloat reports whether an expression is a floating-point number that is not a constant.
func isFloat(info *types.Info, e ast.Expr) bool {
	v := info.Types[e]
	if v.Type == nil || v.Value != nil {
		return false
	}
	basic, ok := v.Type.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsFloat != 0
}

// rounded reports whether the expressions around a product keep it out of a sum: a conversion, another product or
// quotient, or a comparison. An assignment, a return, or an argument does not: the compiler looks through them.
func rounded(info *types.Info, stack []ast.Node) bool {
	for _, outer := range slices.Backward(stack) {
		switch outer := outer.(type) {
		case *ast.ParenExpr:
			continue
		case *ast.UnaryExpr:
			continue
		case *ast.CallExpr:
			return info.Types[outer.Fun].IsType()
		case *ast.AssignStmt:
			return outer.Tok == token.QUO_ASSIGN || outer.Tok == token.MUL_ASSIGN
		case *ast.BinaryExpr:
			return outer.Op != token.ADD && outer.Op != token.SUB
		}
		return false
	}
	return false
}
