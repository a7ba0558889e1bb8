// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"
)

// table is the report of a run. A row that misses its must fails the test.
type table struct {
	t    *testing.T
	rows []string
}

// row adds a measured value of a backend. must describes the condition, which met states.
func (tb *table) row(backend, what string, value any, must string, met bool) {
	tb.t.Helper()
	result := "ok"
	if !met {
		result = "MISSED"
		tb.t.Errorf("%s: %s is %v, must be %s", backend, what, value, must)
	}
	tb.rows = append(tb.rows, fmt.Sprintf("%s\t%s\t%v\t%s\t%s", backend, what, value, must, result))
}

// print writes the table to the log and to e2e/out.
func (tb *table) print() {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "backend\tmeasure\tvalue\tmust\tresult")
	for _, row := range tb.rows {
		fmt.Fprintln(w, row)
	}
	require.NoError(tb.t, w.Flush())
	tb.t.Logf("\n%s", b.String())
	file := filepath.Join("..", "out", "windows", "table.txt")
	require.NoError(tb.t, os.MkdirAll(filepath.Dir(file), 0o750))
	require.NoError(tb.t, os.WriteFile(file, []byte(b.String()), 0o600))
}
