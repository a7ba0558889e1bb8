// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/auspex-otel/auspex/eval/evaldata"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run prints the report and returns the exit code: 0 targets met, 1 missed, 2 invalid usage.
func run(args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("logs", flag.ContinueOnError)
	fs.SetOutput(stderr)
	dir := fs.String("in", filepath.Join(evaldata.Folder(), "loghub"), "folder of labeled logs; skipped if missing")
	junk := fs.Int("junk", 10_000_000, "number of junk lines")
	seed := fs.Uint64("seed", 1, "seed of the generated formats")
	records := fs.Int("records", 100_000, "number of generated records per format")
	cost := fs.Bool("cost", true, "measure time, which differs from run to run")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if fs.NArg() > 0 || *junk < 1 {
		fmt.Fprintf(stderr, "logs: -junk must be at least 1, and arguments are not accepted (got -junk %d %q)\n", *junk, fs.Args())
		return 2
	}
	list, err := readCorpora(*dir)
	if err != nil {
		fmt.Fprintln(stderr, "logs:", err)
		return 1
	}
	r := report{out: stdout}
	if len(list) == 0 {
		fmt.Fprintf(stdout, "skipped: no labeled logs in %s\n", *dir)
	} else {
		r.quality(list)
		r.replicas(list)
		if *cost {
			r.speed(list)
		}
	}
	r.growth(*seed, *records)
	r.flood(*junk)
	if r.missed > 0 {
		fmt.Fprintf(stdout, "\n%d targets missed\n", r.missed)
		return 1
	}
	fmt.Fprintln(stdout, "\nall targets met")
	return 0
}
