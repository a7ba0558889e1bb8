// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/backtest/report"
	"github.com/auspex-otel/auspex/internal/engine"
)

// header names the columns of the output.
const header = "timestamp,value,anomaly_score,opening_score,expected,lower,upper"

// Options holds the inputs of Run.
type Options struct {
	// In is the folder with CSV files. Out is the output folder.
	In, Out  string
	Columns  Columns
	Format   Format
	Engine   engine.Config
	Truth    Truth // nil if unknown
	Progress *backtest.Progress
}

// Result holds the results of Run.
type Result struct {
	// Files is the number of completely read files.
	Files int
	// Series holds the series of these files, in the order of paths and rows.
	Series []backtest.Summary
	// Assessments holds those of the series in the truth.
	Assessments []Assessment
	// Unknown lists the names in the truth that are not among the inputs.
	Unknown []string
	// Failed holds an error for every file that could not be read or written.
	Failed []error
}

// Run runs every CSV file under a folder through a separate engine. It writes the same files with verdicts, and a
// report, to another folder. A file that fails is listed in Result.Failed and does not affect others. Run returns an
// error only if the whole run fails.
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
	r := &Result{Unknown: o.Truth.without(results)}
	for _, f := range results {
		if f.err != nil {
			r.Failed = append(r.Failed, f.err)
			continue
		}
		r.Files++
		for _, t := range f.order {
			r.Series = append(r.Series, t.summary)
			if t.assessor != nil {
				r.Assessments = append(r.Assessments, t.assessor.end(t.summary.First, t.summary.Last))
			}
		}
	}
	return r, page(r, gallery).Write(o.Out)
}

// input is a file to read. Its name is the path relative to the folder, with slashes.
type input struct {
	name string
	size int64
}

func listFiles(dir string) (files []input, err error) {
	if dir, err = filepath.EvalSymlinks(dir); err != nil { // a walk does not follow a link at its root
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
		err = fmt.Errorf("no CSV files in %s", dir)
	}
	return files, err
}

// runAll runs files on all cores. Results are in the order of the files.
func (o *Options) runAll(files []input) ([]*file, *report.Gallery) {
	results, gallery := make([]*file, len(files)), &report.Gallery{}
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		workers.Go(func() {
			for i := range next {
				f := newFile(files[i].name)
				f.err = f.run(o, files[i].size)
				for _, t := range f.order {
					if f.err == nil {
						gallery.Add(t.picture())
					}
					t.end()
				}
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
