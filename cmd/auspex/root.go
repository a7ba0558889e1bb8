// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// Exit codes, as the help states them.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const exitCodes = `Exit codes:
  0  it worked
  1  nothing answered, or what answered could not do it
  2  wrong usage`

// environment is what a command gets from the process.
type environment struct {
	out, errs io.Writer
	zone      *time.Location // of the times that are shown
}

// failure is an error of a command that was used rightly. All other errors are wrong usage.
type failure struct{ err error }

func (f failure) Error() string { return f.err.Error() }
func (f failure) Unwrap() error { return f.err }

// run executes the command line and returns the exit code.
func run(args []string, env environment) int {
	root := newRoot(env)
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	if err == nil {
		return exitOK
	}
	_, _ = fmt.Fprintf(env.errs, "%s: %v\n", cmd.CommandPath(), err)
	if _, ok := errors.AsType[failure](err); ok {
		return exitFailed
	}
	_, _ = fmt.Fprintf(env.errs, "Run '%s --help' for usage.\n", cmd.CommandPath())
	return exitUsage
}

func newRoot(env environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "auspex",
		Short: "See what an otelcol-auspex collector has found",
		Long: `auspex is the companion of the collector otelcol-auspex. It asks the running
collector what it has found, by the API of its anomaly_console extension, and
tries the collector's judgment on telemetry that was recorded.

` + exitCodes,
		Example: `  # what is wrong now?
  auspex incidents

  # everything about one incident
  auspex incidents 9f86d081884c7d65

  # for a script
  auspex incidents --state all --json

  # that is known: say nothing of it for two hours
  auspex silence add --service checkout --for 2h --why 'load test'

  # what would it have said about the last month?
  auspex backtest csv --in history --out judged

  # what could never be delivered, and why?
  auspex deadletter list

  # what do these logs say?
  auspex templates /var/log/syslog`,
		Args:          noArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(env.out)
	root.SetErr(env.errs)
	root.AddCommand(newBacktest(env), newDeadLetter(env), newIncidents(env), newSilence(env), newSupportBundle(env), newTemplates(env), newVersion(env))
	root.SetHelpCommand(newHelp(root))
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" { // by itself it takes any argument for a good one
			c.Args, c.RunE = noArguments, root.RunE
		}
	}
	return root
}

// newHelp makes the command help, which unlike cobra's own says when there is nothing of that name.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil {
				return err
			}
			if err := noArguments(cmd, rest); err != nil {
				return err
			}
			return cmd.Help()
		},
	}
}

// noArguments refuses arguments. Those of a command that has others below it can only be meant as one of them.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return fmt.Errorf("takes no argument, but got %q", args[0])
	}
	text := fmt.Sprintf("there is no command %q", args[0])
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		text += fmt.Sprintf(", did you mean %q?", like[0])
	}
	return errors.New(text)
}

// write puts a whole output out at once.
func (e environment) write(b []byte) error {
	if _, err := e.out.Write(b); err != nil {
		return failure{fmt.Errorf("cannot write the output: %w", err)}
	}
	return nil
}
