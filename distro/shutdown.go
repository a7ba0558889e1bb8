// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"github.com/auspex-otel/auspex/distro/config/auspexprovider"
	"github.com/auspex-otel/auspex/internal/shutdown"
)

// The collector shuts down its config providers first for any shutdown, and never when it reloads its configuration.
// This file is written by hand.
func init() {
	watchdog := &shutdown.Watchdog{Log: os.Stderr, Exit: os.Exit}
	auspexprovider.OnShutdown = watchdog.Begin
}
