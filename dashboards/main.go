// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Program dashboards writes the dashboards into the folders that they are
// shipped from. Run it from the root of the repository: go run ./dashboards.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/auspex-otel/auspex/dashboards/grafana"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	name := filepath.Join("dashboards", "grafana", grafana.OverviewFile)
	b, err := grafana.Overview().JSON()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := os.WriteFile(name, b, 0o644); err != nil { //nolint:gosec // a file of the repository, for all to read
		return fmt.Errorf("%w: run this from the root of the repository", err)
	}
	fmt.Println("wrote", name)
	return nil
}
