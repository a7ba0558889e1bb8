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
  0  success
  1  no response from the collector, or the command failed
  2  invalid usage`

// environment holds the inputs and outputs that a command takes from the process.
type environment struct {
	in        io.Reader
	out, errs io.Writer
	zone      *time.Location // of printed times
}

// failure is an error in the execution of a valid command line. All other errors are usage errors.
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
		Short: "Query an otelcol-auspex collector, and evaluate recorded telemetry",
		Long: `auspex is the command-line client of the collector otelcol-auspex. It lists the
incidents of a running collector through the API of its anomaly_console extension,
and evaluates recorded telemetry with the collector's engine.

` + exitCodes,
		Example: `  # open incidents
  auspex incidents

  # one incident with its suspects and anomalies
  auspex incidents 9f86d081884c7d65

  # for a script
  auspex incidents --state all --json

  # open no anomalies of a service for two hours
  auspex silence add --service checkout --for 2h --why 'load test'

  # evaluate recorded series
  auspex backtest csv --in history --out judged

  # data that was rejected permanently, with the reasons
  auspex deadletter list

  # templates of log lines
  auspex templates /var/log/syslog`,
		Args:          noArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(env.out)
	root.SetErr(env.errs)
	root.AddCommand(newBacktest(env), newDashboards(env), newDeadLetter(env), newIncidents(env), newSilence(env), newSupportBundle(env), newTemplates(env), newVersion(env), newWorker(env))
	root.SetHelpCommand(newHelp(root))
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" { // by default it accepts any argument
			c.Args, c.RunE = noArguments, root.RunE
		}
	}
	return root
}

// newHelp returns the command help. Unlike cobra's own, it returns an error for an unknown command.
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

// noArguments returns an error if there are arguments. If cmd has subcommands, the error names the unknown one.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return fmt.Errorf("expected no arguments, got %q", args[0])
	}
	text := fmt.Sprintf("unknown command %q", args[0])
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		text += fmt.Sprintf(", did you mean %q?", like[0])
	}
	return errors.New(text)
}

// write writes the complete output.
func (e environment) write(b []byte) error {
	if _, err := e.out.Write(b); err != nil {
		return failure{fmt.Errorf("cannot write the output: %w", err)}
	}
	return nil
}
