// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

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

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/backtest/report"
	"github.com/auspex-otel/auspex/internal/engine"
)

// header names the columns of the output.
const header = "timestamp,value,anomaly_score,opening_score,expected,lower,upper\n"

// Options are the inputs of Run.
type Options struct {
	// In is the folder with CSV files, Out the one to write to.
	In, Out  string
	Engine   engine.Config
	Truth    Truth // nil if nothing is known
	Progress *backtest.Progress
}

// Result is what Run found.
type Result struct {
	// Files are those that were read to their end, in the order of their paths.
	Files []backtest.Summary
	// Assessments are of the files that the truth names.
	Assessments []Assessment
	// Unknown are the files of the truth that are not among the inputs.
	Unknown []string
	// Failed has an error for every file that could not be read or written.
	Failed []error
}

// Run runs every CSV file under a folder through an engine of its own and
// writes the same files with verdicts, and a report, to another. A file that
// fails is listed in Result.Failed and stops no other; the error is for failures
// that stop the whole run.
func Run(o Options) (*Result, error) {
	files, err := listFiles(o.In)
	if err != nil {
		return nil, err
	}
	if err := backtest.SeparateFolders(o.In, o.Out); err != nil {
		return nil, err
	}
	total := int64(0)
	for _, f := range files {
		total += f.size
	}
	o.Progress.Start(total)
	results, gallery := o.runAll(files)
	o.Progress.End()
	r := &Result{Unknown: o.Truth.without(files)}
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
	return r, page(r, gallery).Write(o.Out)
}

// input is a file to read. Its name is the path below the folder, with slashes.
type input struct {
	name string
	size int64
}

func listFiles(dir string) (files []input, err error) {
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

// runAll runs files on all cores. Results have the order of the files.
func (o *Options) runAll(files []input) ([]*file, *report.Gallery) {
	results, gallery := make([]*file, len(files)), &report.Gallery{}
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		workers.Go(func() {
			for i := range next {
				f := o.newFile(files[i])
				if f.err = f.run(o, files[i].size); f.err == nil {
					gallery.Add(f.picture())
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

// file is the run of one file.
type file struct {
	summary  backtest.Summary
	assessor *assessor // nil if the truth says nothing
	windows  []backtest.Window
	plot     *report.Plot
	watch    *watch
	err      error
}

func (o *Options) newFile(in input) *file {
	f := &file{summary: backtest.Summary{Name: in.name}, plot: &report.Plot{}, watch: newWatch(o.Engine)}
	if windows, ok := o.Truth[in.name]; ok {
		f.assessor, f.windows = newAssessor(in.name, windows), windows
	}
	return f
}

func (f *file) picture() report.Picture {
	return report.Picture{Summary: f.summary, Windows: f.windows, Plot: f.plot}
}

// run reads the file and writes its output. It removes the output after an error.
func (f *file) run(o *Options, size int64) (err error) {
	name := filepath.FromSlash(f.summary.Name)
	path := filepath.Join(o.In, name)
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	meter := backtest.NewMeter(in, o.Progress, size)
	defer meter.End()
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

// judge writes one output row for each input row.
func (f *file) judge(in *backtest.Meter, out io.Writer) error {
	rows, err := newRowReader(in)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriterSize(out, 1<<16)
	line := []byte(header)
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
		in.Points++
		line = append(append(append(line[:0], row.timestamp...), ','), row.value...)
		if v := f.observe(row); v != nil {
			line = appendVerdict(line, v)
		} else {
			line = append(line, ",0,0,,,"...)
		}
		line = append(line, '\n')
	}
}

// timeless returns an error if no time of the file could be read.
func (f *file) timeless() error {
	if f.summary.FirstNoTime > 0 && f.summary.First.IsZero() {
		return fmt.Errorf("line %d: %w", f.summary.FirstNoTime, errTime)
	}
	return nil
}

// observe returns the verdict about a row, or nil.
func (f *file) observe(r row) *report.Verdict {
	f.summary.Rows++
	t, value, err := r.parse()
	if errors.Is(err, errTime) {
		f.summary.NoTime++
		if f.summary.FirstNoTime == 0 && plain(r.timestamp) != "" {
			f.summary.FirstNoTime = r.line
		}
		return nil
	}
	f.summary.See(t)
	if err != nil {
		f.summary.NoNumber++
		return nil
	}
	said, late, judged := f.watch.observe(t, value)
	if late {
		f.summary.Late++
		return nil
	}
	var v *report.Verdict
	opens := 0.0
	if judged {
		opens = said.Opening
		v = &report.Verdict{Score: said.Score, Opening: opens, Expected: said.Expected, Lower: said.Lower, Upper: said.Upper}
		f.summary.Count(t, v.Score, opens)
	}
	f.plot.Add(t, value, v)
	if f.assessor != nil {
		f.assessor.observe(t, opens)
	}
	return v
}

// appendVerdict appends the columns of a verdict.
func appendVerdict(b []byte, v *report.Verdict) []byte {
	for _, x := range [...]float64{v.Score, v.Opening, v.Expected, v.Lower, v.Upper} {
		b = strconv.AppendFloat(append(b, ','), x, 'g', -1, 64)
	}
	return b
}
