// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "os"

// The collector refuses to run without a config flag, and the builder can set a
// default scheme but no default configuration. So a bare otelcol-auspex gets the
// flag here, before main reads its arguments. This file and shutdown.go are
// written by hand; all others in this folder belong to the builder.
func init() {
	if len(os.Args) == 1 {
		os.Args = append(os.Args, "--config=auspex:default")
	}
}
