// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/auspex-otel/auspex/dashboards"
	"github.com/auspex-otel/auspex/dashboards/install"
)

// apiKeyVariable is the environment variable with the API key, which keeps it out of the list of processes.
const apiKeyVariable = "AUSPEX_API_KEY" //nolint:gosec // the name of the variable, not a key

func newDashboards(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dashboards",
		Short: "Install dashboards in Grafana or Kibana, or write them to files",
		Long: `Install the dashboards of Auspex in a running Grafana or Kibana, or write them and
the files around them to a folder. Kibana gets alert rules as well.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDashboardsExport(env), newDashboardsInstall(env))
	return cmd
}

func newDashboardsExport(env environment) *cobra.Command {
	return &cobra.Command{
		Use:   "export DIR",
		Short: "Write the dashboards to a folder",
		Long: `Write the dashboards to a folder: DIR/grafana/provisioning, which Grafana can
mount as /etc/grafana/provisioning, DIR/grafana/mixin.libsonnet, and for Kibana
DIR/kibana/auspex.ndjson, the saved objects, DIR/kibana/dashboards, the bodies of
PUT /api/dashboards/ID in Kibana 9.5 and newer, and DIR/kibana/rules, the bodies of
POST /api/alerting/rule/ID. Files with the same names are replaced.

` + exitCodes,
		Example: `  auspex dashboards export /srv/auspex`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("takes one folder, but got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return exportDashboards(env, args[0]) },
	}
}

func exportDashboards(env environment, dir string) error {
	n := 0
	err := fs.WalkDir(dashboards.Files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := dashboards.Files.ReadFile(name)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // Grafana runs as another user
			return err
		}
		n++
		return os.WriteFile(file, text, 0o644) //nolint:gosec // Grafana runs as another user
	})
	if err != nil {
		return failure{fmt.Errorf("cannot write the dashboards to %s: %w", dir, err)}
	}
	return env.write(fmt.Appendf(nil, "%d files written to %s\n", n, dir))
}

// installOptions are the flags of auspex dashboards install.
type installOptions struct {
	grafana, kibana, key string
	dryRun               bool
}

func newDashboardsInstall(env environment) *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Install the dashboards in Grafana or Kibana",
		Long: `Install the dashboards in Grafana 11 or newer, in the folder Auspex, or the
dashboards and alert rules in Kibana 8.19 or newer. Objects of an earlier version are
updated; everything else stays as it is. If one object cannot be saved, none is
installed.

For Grafana, the API key is the token of a service account with the role Editor. For
Kibana, its role has the privileges All for Dashboard, Stack Rules, and Saved Objects
Management. Set the key in the environment variable ` + apiKeyVariable + ` to keep it out
of the list of processes.

` + exitCodes,
		Example: `  # what would change?
  auspex dashboards install --grafana http://localhost:3000 --dry-run

  AUSPEX_API_KEY=glsa_... auspex dashboards install --grafana http://localhost:3000`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return installDashboards(cmd, env, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.grafana, "grafana", "", "address of Grafana, as in http://localhost:3000")
	f.StringVar(&o.kibana, "kibana", "", "address of Kibana, as in http://localhost:5601, with the space if it is not the default one")
	f.StringVar(&o.key, "api-key", "", "API key or token of a service account (default: $"+apiKeyVariable+")")
	f.BoolVar(&o.dryRun, "dry-run", false, "print the changes and make none")
	return cmd
}

func installDashboards(cmd *cobra.Command, env environment, o installOptions) error {
	if (o.grafana == "") == (o.kibana == "") {
		return errors.New("state either --grafana or --kibana with the address")
	}
	product, address, to := "Grafana", o.grafana, install.Grafana
	if o.kibana != "" {
		product, address, to = "Kibana", o.kibana, install.Kibana
	}
	if u, err := url.Parse(address); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("the address of %s is %q, but must be one such as http://localhost:3000", product, address)
	}
	version, changes, err := to(cmd.Context(), install.Options{
		URL: address, Key: cmp.Or(o.key, os.Getenv(apiKeyVariable)), DryRun: o.dryRun, Client: &http.Client{Timeout: answerTime},
	})
	if err != nil {
		return failure{err}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s at %s\n\n", product, clean(version), clean(address))
	t := newTable("KIND", "NAME", "CHANGE")
	for _, c := range changes {
		t.add(c.Kind, c.Title, string(c.Action))
	}
	t.print(&b, "")
	if o.dryRun {
		fmt.Fprintln(&b, "\nDry run: nothing was changed.")
	}
	return env.write(b.Bytes())
}
