// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Command auspex is the command-line client of the collector otelcol-auspex. It lists
// incidents through the API of the collector's console, and evaluates recorded
// telemetry with the collector's engine.
package main

import (
	"os"
	"time"
)

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = "dev"

func main() {
	os.Exit(run(os.Args[1:], environment{in: os.Stdin, out: os.Stdout, errs: os.Stderr, zone: time.Local}))
}
