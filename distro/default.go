// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"github.com/auspex-otel/auspex/distro/health"
)

// The collector does not start without a config flag, and the builder can set a
// default scheme but neither a default configuration nor a command. Therefore init
// adds the flag, and runs the command health, before main reads the arguments. This
// file, shutdown.go, and exit.go are written by hand; the builder owns all others in this folder.
func init() {
	switch {
	case len(os.Args) == 1:
		os.Args = append(os.Args, "--config=auspex:default")
	case os.Args[1] == "health":
		os.Exit(health.Run(os.Args[2:], os.Getenv, os.Stdout, os.Stderr))
	}
}
