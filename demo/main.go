// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"golang.org/x/term"
)

// Exit codes.
const (
	exitRight       = 0   // the answer is right
	exitWrong       = 1   // the answer is wrong, or the demo failed before it
	exitUnable      = 2   // the demo could not start: an invalid setting, a port in use, a missing program
	exitInterrupted = 130 // interrupted before there was an answer
)

// errInterrupted is the cancellation cause of the context if a signal stops the demo.
var errInterrupted = errors.New("interrupted")

func main() {
	os.Exit(run(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run runs the program and returns the exit code. All processes that it started have exited by then.
func run(args []string, getenv func(string) string, out *os.File, errs io.Writer) int {
	set, err := parse(args, getenv, errs)
	if errors.Is(err, flag.ErrHelp) {
		return exitRight
	}
	if err != nil {
		fmt.Fprintln(errs, "auspex-demo:", err)
		return exitUnable
	}
	tty := term.IsTerminal(int(out.Fd()))
	present := tty && getenv("CI") == ""
	set.stay = set.stay || present
	set.desktop = present && hasDesktop(getenv)

	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, endSignals...)
	defer signal.Stop(signals)
	go func() {
		<-signals
		cancel(errInterrupted)
	}()

	if set.write != "" {
		if err := newDemo(set, newScreen(out, tty, false)).write(ctx); err != nil {
			fmt.Fprintln(errs, "auspex-demo:", err)
			return exitUnable
		}
		return exitRight
	}
	code, err := newDemo(set, newScreen(out, tty, tty && getenv("NO_COLOR") == "")).run(ctx, cancel)
	if err != nil && !errors.Is(err, errInterrupted) {
		fmt.Fprintln(errs, "\nauspex-demo:", err)
	}
	return code
}
