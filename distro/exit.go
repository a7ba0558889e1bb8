// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"github.com/auspex-otel/auspex/distro/ending"
)

// exitCode returns the exit code after an error, and prints advice. `make generate` has main call it. This file is
// written by hand.
func exitCode(err error) int { return ending.Code(err, os.Args[1:], os.Stderr) }
