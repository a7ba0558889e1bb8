// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Program generate writes the dashboards into the folders that they are
// shipped from. Run it from the root of the repository: go run ./dashboards/generate.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/auspex-otel/auspex/dashboards/grafana"
	"github.com/auspex-otel/auspex/dashboards/kibana"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	provisioning := filepath.Join("dashboards", "grafana", "provisioning")
	boards, err := grafana.Files()
	if err != nil {
		return err
	}
	rules, err := grafana.Alerts()
	if err != nil {
		return fmt.Errorf("alert rules: %w", err)
	}
	files := map[string][]byte{filepath.Join(provisioning, "alerting", "rules.yaml.example"): rules}
	if files[filepath.Join("dashboards", "kibana", "auspex.ndjson")], err = kibana.Objects(); err != nil {
		return fmt.Errorf("objects of Kibana: %w", err)
	}
	bodies, err := kibana.Bodies()
	if err != nil {
		return fmt.Errorf("dashboards of Kibana: %w", err)
	}
	for id, text := range bodies {
		files[filepath.Join("dashboards", "kibana", "dashboards", id+".json")] = text
	}
	if bodies, err = kibana.RuleBodies(); err != nil {
		return fmt.Errorf("alert rules of Kibana: %w", err)
	}
	for id, text := range bodies {
		files[filepath.Join("dashboards", "kibana", "rules", id+".json")] = text
	}
	for name, text := range boards {
		files[filepath.Join(provisioning, "dashboards", "auspex", name)] = text
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(name, files[name], 0o644); err != nil { //nolint:gosec // files of the repository are readable by all
			return fmt.Errorf("%w: run this from the root of the repository", err)
		}
		fmt.Println("wrote", name)
	}
	return nil
}
