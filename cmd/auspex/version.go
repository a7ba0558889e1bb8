// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func newVersion(env environment) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Long: `Print the version of this program, of Go, and the platform. The collector has a
version of its own: otelcol-auspex --version.

` + exitCodes,
		Example: `  auspex version
  auspex version --json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if !asJSON {
				return env.write(fmt.Appendf(nil, "auspex %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH))
			}
			b, err := json.Marshal(struct {
				Version string `json:"version"`
				Go      string `json:"go"`
				OS      string `json:"os"`
				Arch    string `json:"arch"`
			}{version, runtime.Version(), runtime.GOOS, runtime.GOARCH})
			if err != nil {
				return failure{err}
			}
			return env.write(append(b, '\n'))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
