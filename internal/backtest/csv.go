// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/auspex-otel/auspex/internal/engine"
)

// csvHeader names the columns of the output.
const csvHeader = "timestamp,value,anomaly_score,opening_score,expected,lower,upper\n"

// CSVOptions are the inputs of CSV.
type CSVOptions struct {
	// In is the folder with CSV files, Out the one to write to.
	In, Out  string
	Engine   engine.Config
	Truth    Truth // nil if nothing is known
	Progress *Progress
}

// CSVResult is what CSV found.
type CSVResult struct {
	// Files are those that were read to their end, in the order of their paths.
	Files []Summary
	// Assessments are of those files that the truth speaks of.
	Assessments []Assessment
	// Unknown are the files of the truth that are not among the inputs.
	Unknown []string
	// Failed has an error for every file that could not be read or written.
	Failed []error
}

// CSV runs every CSV file under a folder through an engine of its own and
// writes the same files with verdicts, and a report, to another. The error is
// for what stops all of it; a file that fails stops no other.
func CSV(o CSVOptions) (*CSVResult, error) {
	files, err := listCSV(o.In)
	if err != nil {
		return nil, err
	}
	if err := apart(o.In, o.Out); err != nil {
		return nil, err
	}
	total := int64(0)
	for _, f := range files {
		total += f.size
	}
	o.Progress.start(total)
	results, gallery := o.runAll(files)
	o.Progress.end()
	r := &CSVResult{Unknown: o.Truth.without(files)}
	for _, f := range results {
		if f.err != nil {
			r.Failed = append(r.Failed, f.err)
			continue
		}
		r.Files = append(r.Files, f.summary)
		if f.assessor != nil {
			r.Assessments = append(r.Assessments, f.assessor.end(f.summary.First, f.summary.Last))
		}
	}
	return r, csvReport(r, gallery).write(o.Out)
}

// input is a file to read. Its name is the path below the folder, with slashes.
type input struct {
	name string
	size int64
}

func listCSV(dir string) (files []input, err error) {
	if dir, err = filepath.EvalSymlinks(dir); err != nil { // a walk does not follow a link that it begins at
		return nil, err
	}
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.EqualFold(filepath.Ext(path), ".csv") {
			return err
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		files = append(files, input{filepath.ToSlash(name), info.Size()})
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("there are no CSV files in %s", dir)
	}
	return files, err
}

// apart refuses folders of which one lies in the other: a second run would take results for inputs, or overwrite inputs.
func apart(in, out string) error {
	if err := os.MkdirAll(out, 0o750); err != nil {
		return err
	}
	var dirs [2]string
	for i, dir := range [...]string{in, out} {
		path, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return err
		}
		if path, err = filepath.Abs(path); err != nil {
			return err
		}
		dirs[i] = path + string(filepath.Separator)
	}
	if strings.HasPrefix(dirs[0], dirs[1]) || strings.HasPrefix(dirs[1], dirs[0]) {
		return fmt.Errorf("%s and %s lie in one another: choose an output folder apart from the input", in, out)
	}
	return nil
}

// without returns the names that no file has.
func (t Truth) without(files []input) (unknown []string) {
	known := map[string]bool{}
	for _, f := range files {
		known[f.name] = true
	}
	for _, name := range sortedKeys(t) {
		if !known[name] {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// runAll runs files on all cores. Results have the order of the files.
func (o *CSVOptions) runAll(files []input) ([]*csvFile, *gallery) {
	results, gallery := make([]*csvFile, len(files)), &gallery{}
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		workers.Go(func() {
			for i := range next {
				f := o.newFile(files[i])
				if f.err = f.run(o, files[i].size); f.err == nil {
					gallery.add(f.picture())
				}
				f.plot = nil
				results[i] = f
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	workers.Wait()
	return results, gallery
}

// csvFile is the run of one file.
type csvFile struct {
	summary  Summary
	assessor *assessor // nil if the truth says nothing
	windows  []Window
	plot     *plot
	watch    *watch
	err      error
}

func (o *CSVOptions) newFile(in input) *csvFile {
	f := &csvFile{summary: Summary{Name: in.name}, plot: &plot{}, watch: newWatch(o.Engine)}
	if windows, ok := o.Truth[in.name]; ok {
		f.assessor, f.windows = newAssessor(in.name, windows), windows
	}
	return f
}

func (f *csvFile) picture() picture {
	return picture{Summary: f.summary, windows: f.windows, plot: f.plot}
}

// run reads the file and writes its output, of which nothing stays after an error.
func (f *csvFile) run(o *CSVOptions, size int64) (err error) {
	name := filepath.FromSlash(f.summary.Name)
	path := filepath.Join(o.In, name)
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	meter := &metered{Reader: in, progress: o.Progress, left: size}
	defer meter.end()
	target := filepath.Join(o.Out, name)
	if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
		return err
	}
	out, err := os.Create(target)
	if err != nil {
		return err
	}
	if err := f.judge(meter, out); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", path, err), out.Close(), os.Remove(target))
	}
	return out.Close()
}

// judge writes a row for every row.
func (f *csvFile) judge(in *metered, out io.Writer) error {
	rows, err := newRowReader(in)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriterSize(out, 1<<16)
	line := []byte(csvHeader)
	for {
		if _, err := buffer.Write(line); err != nil {
			return err
		}
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			return errors.Join(buffer.Flush(), f.timeless())
		}
		if err != nil {
			return err
		}
		in.points++
		line = append(append(append(line[:0], row.timestamp...), ','), row.value...)
		if v := f.observe(row); v != nil {
			line = v.append(line)
		} else {
			line = append(line, ",0,0,,,"...)
		}
		line = append(line, '\n')
	}
}

// timeless refuses a file none of whose times could be read.
func (f *csvFile) timeless() error {
	if f.summary.FirstNoTime > 0 && f.summary.First.IsZero() {
		return fmt.Errorf("line %d: %w", f.summary.FirstNoTime, errTime)
	}
	return nil
}

// observe returns the verdict about a row, or nil.
func (f *csvFile) observe(r row) *verdict {
	f.summary.Rows++
	t, value, err := r.parse()
	if errors.Is(err, errTime) {
		f.summary.NoTime++
		if f.summary.FirstNoTime == 0 && plain(r.timestamp) != "" {
			f.summary.FirstNoTime = r.line
		}
		return nil
	}
	f.summary.see(t)
	if err != nil {
		f.summary.NoNumber++
		return nil
	}
	said, late, judged := f.watch.observe(t, value)
	if late {
		f.summary.Late++
		return nil
	}
	var v *verdict
	opens := 0.0
	if judged {
		opens = opening(said)
		v = &verdict{said.Score, opens, said.Expected, said.Lower, said.Upper}
		f.summary.count(t, v.score, opens)
	}
	f.plot.add(t, value, v)
	if f.assessor != nil {
		f.assessor.observe(t, opens)
	}
	return v
}

// append appends the columns of a verdict.
func (v *verdict) append(b []byte) []byte {
	for _, x := range [...]float64{v.score, v.opening, v.expected, v.lower, v.upper} {
		b = strconv.AppendFloat(append(b, ','), x, 'g', -1, 64)
	}
	return b
}
