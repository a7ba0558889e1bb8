// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/auspex-otel/auspex/internal/template"
)

const templatesExitCodes = `Exit codes:
  0  success
  1  an input could not be read, or an output could not be written
  2  invalid usage`

func newTemplates(env environment) *cobra.Command {
	var in, column, out string
	top := 0
	cmd := &cobra.Command{
		Use:   "templates FILE... | templates --csv FILE --column NAME --out FILE",
		Short: "List the templates of log lines",
		Long: `Mine templates from log lines with the code and settings of the collector.

If files are given, uncompressed or compressed with gzip, their lines are read in
order. The templates are printed, the most frequent first, each with an example in
which secrets are masked.

With --csv, one column of a CSV file is read. The output is a CSV file with one row
per input row: LineId,EventId,EventTemplate,FinalEventId,FinalTemplate. EventId and
EventTemplate are those at the time of the line. FinalEventId and FinalTemplate are
those that they were merged into by the end. LineId is that of the input, or the
number of the row.

` + templatesExitCodes,
		Example: `  auspex templates /var/log/syslog /var/log/syslog.2.gz

  auspex templates --csv lines.csv --column Content --out templates.csv`,
	}
	f := cmd.Flags()
	f.StringVar(&in, "csv", "", "CSV file with a header")
	f.StringVar(&column, "column", "", "column that holds the log line")
	f.StringVar(&out, "out", "", "CSV file to write")
	f.IntVar(&top, "top", 100, "maximum number of templates to print, 0 for all")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if in == "" && column == "" && out == "" {
			if len(args) == 0 || top < 0 {
				return errors.New("no input: pass files, or set --csv, --column, and --out; --top must be 0 or more")
			}
			return summarize(env, cmd.CommandPath(), args, top)
		}
		if in == "" || column == "" || out == "" || len(args) > 0 {
			return errors.New("--csv, --column, and --out must be set together, without files")
		}
		if err := templatesCSV(in, column, out); err != nil {
			return failure{err}
		}
		return nil
	}
	return cmd
}

// templatesCSV mines one column of a CSV file and writes the output file.
func templatesCSV(in, column, out string) error {
	file, err := os.Open(in)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	rows, err := mineCSV(file, column)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return os.WriteFile(out, b.Bytes(), 0o600)
}

// mineCSV returns the rows of the output, including their header.
func mineCSV(file io.Reader, column string) ([][]string, error) {
	r := csv.NewReader(file)
	r.LazyQuotes, r.ReuseRecord, r.FieldsPerRecord = true, true, -1
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("cannot read the header: %w", err)
	}
	at, lineID := slices.Index(head, column), slices.Index(head, "LineId")
	if at < 0 {
		return nil, fmt.Errorf("the header has no column %q", column)
	}
	m := template.New(template.DefaultConfig())
	var ids []template.ID
	rows := [][]string{{"LineId", "EventId", "EventTemplate", "FinalEventId", "FinalTemplate"}}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		line, id := "", strconv.Itoa(len(rows))
		if at < len(row) {
			line = row[at]
		}
		if lineID >= 0 && lineID < len(row) {
			id = row[lineID]
		}
		match := m.Observe("", template.Body(line))
		ids = append(ids, match.ID)
		rows = append(rows, []string{id, match.ID.String(), match.Template, "", ""})
	}
	for i, id := range ids {
		row, final := rows[i+1], m.Resolve(id)
		row[3], row[4] = final.String(), row[2]
		if info, ok := m.Lookup(final); ok {
			row[4] = info.Template
		}
	}
	return rows, nil
}

// summarize prints the templates of files of lines.
func summarize(env environment, name string, files []string, top int) error {
	m := template.New(template.DefaultConfig())
	var errs []error
	for _, file := range files {
		if err := mineFile(m, file); err != nil {
			errs = append(errs, err)
		}
	}
	list := m.All()
	slices.SortStableFunc(list, func(a, b template.Info) int { return cmp.Compare(b.Count, a.Count) })
	total := m.Stats()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s, %s\n", many(int(total.Lines), "line"), many(total.Templates, "template"))
	for i, t := range list {
		if top > 0 && i == top {
			fmt.Fprintf(&b, "\nand %s with fewer lines\n", many(len(list)-i, "template"))
			break
		}
		fmt.Fprintf(&b, "\n%d × (%.2f %%)  %s\n  %s\n", t.Count, 100*float64(t.Count)/float64(total.Lines), t.ID, clean(t.Template))
		if t.Example != t.Template {
			fmt.Fprintf(&b, "  e.g. %s\n", clean(t.Example))
		}
	}
	if total.Evicted > 0 {
		fmt.Fprintf(&b, "\n%s evicted, because the number of templates is limited\n", many(int(total.Evicted), "template"))
	}
	if err := env.write(b.Bytes()); err != nil {
		return err
	}
	return failed(name, env, errs)
}

// maxLine is the number of bytes that are read of a line. The rest is skipped.
const maxLine = 1 << 16

// mineFile passes the lines of a file, which may be compressed, to the miner.
func mineFile(m *template.Miner, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	r := bufio.NewReaderSize(file, maxLine)
	if magic, _ := r.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(r)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r = bufio.NewReaderSize(unpacked, maxLine)
	}
	for {
		line, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: %w", name, err)
		}
		if line != "" {
			m.Observe("", template.Body(line))
		}
		if err != nil {
			return nil
		}
	}
}

// readLine returns the next line up to the size of the reader's buffer, and skips the rest of it.
func readLine(r *bufio.Reader) (string, error) {
	b, err := r.ReadSlice('\n')
	line := strings.TrimRight(string(b), "\r\n")
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.ReadSlice('\n')
	}
	return line, err
}
