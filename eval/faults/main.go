// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"github.com/auspex-otel/auspex/eval/faults/bench"
)

func main() { os.Exit(bench.Run(os.Args[1:], os.Stdout, os.Stderr)) }
