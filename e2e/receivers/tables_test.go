// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
)

// Tables of this run. Tests run sequentially.
var (
	tables     []string
	clientRows []receiverRow
)

// TestMain prints all tables of the run again at the end.
func TestMain(m *testing.M) {
	code := m.Run()
	if len(clientRows) > 0 {
		tables = append([]string{"clients\n" + clientTable(clientRows)}, tables...)
	}
	for _, table := range tables {
		fmt.Println("\n" + table)
	}
	os.Exit(code)
}

// show logs a table and stores it for the end.
func show(t *testing.T, title, table string) {
	t.Helper()
	t.Logf("%s\n%s", title, table)
	tables = append(tables, title+"\n"+table)
}

// showClients logs the rows of clients and stores them for the end.
func showClients(t *testing.T, rows []receiverRow) {
	t.Helper()
	t.Logf("\n%s", clientTable(rows))
	clientRows = append(clientRows, rows...)
}

func clientTable(rows []receiverRow) string {
	return columns("receiver\t| client\t| sent\t| acknowledged\t| found\t| missing of acknowledged\t| never sent\t| duplicates\t| native histograms\t|", func(line func(cells ...any)) {
		for _, r := range rows {
			line(r.receiver, r.client, r.sent, r.acknowledged, r.found, r.missing, r.strange, r.duplicates, r.histogram, r.note)
		}
	})
}

// columns returns a table with a title and the lines that fill adds.
func columns(title string, fill func(line func(cells ...any))) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, title)
	fill(func(cells ...any) {
		for i, c := range cells {
			if i > 0 {
				fmt.Fprint(w, "\t| ")
			}
			fmt.Fprint(w, c)
		}
		fmt.Fprintln(w)
	})
	_ = w.Flush()
	return b.String()
}
