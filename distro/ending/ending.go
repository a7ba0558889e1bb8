// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package ending decides how otelcol-auspex ends after an error: with which exit code,
// and with which advice for errors whose cause is outside the configuration.
package ending

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os/user"
	"syscall"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/otelcol"
)

// Exit codes of otelcol-auspex.
const (
	failed = 1
	usage  = 2
)

// Code returns the exit code of a command line that ended with an error: 2 if the
// command line is wrong, 1 for any other error. It writes one sentence with the remedy
// to errs, unless the error itself has it.
func Code(err error, args []string, errs io.Writer) int {
	code, advice := failed, remedy(err)
	if wrongUsage(args) {
		code, advice = usage, "otelcol-auspex --help lists the commands and flags."
	}
	if advice != "" {
		fmt.Fprintln(errs, advice)
	}
	return code
}

// wrongUsage reports whether the collector's own command rejects the arguments. Its errors have no type.
func wrongUsage(args []string) bool {
	root := otelcol.NewCommand(otelcol.CollectorSettings{})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	cmd, rest, err := root.Find(args)
	if err != nil || cmd.ParseFlags(rest) != nil || cmd.ValidateArgs(cmd.Flags().Args()) != nil {
		return true
	}
	return needsConfiguration(cmd) && !cmd.Flags().Changed("config")
}

// needsConfiguration reports whether a command does nothing without a configuration.
func needsConfiguration(cmd *cobra.Command) bool { return cmd.Flags().Lookup("config") != nil }

// remedy returns what to do about an error of the operating system, or "".
func remedy(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "listen" {
		switch {
		case errors.Is(op.Err, syscall.EADDRINUSE):
			return fmt.Sprintf("Another process listens on %v: end it (ss -ltnp shows it), or configure another address. "+
				"The head comment of a shipped configuration lists the variables of its addresses.", op.Addr)
		case errors.Is(op.Err, fs.ErrPermission):
			return fmt.Sprintf("Only root may listen on %v: configure a port above 1023.", op.Addr)
		}
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok && errors.Is(path.Err, fs.ErrPermission) {
		return fmt.Sprintf("%s has no access to %s: give it access, or configure another path. AUSPEX_STATE_DIR sets the state folder.", account(), path.Path)
	}
	return ""
}

// account names the user that runs the process.
func account() string {
	if u, err := user.Current(); err == nil {
		return "User " + u.Username
	}
	return "The user of this process"
}
