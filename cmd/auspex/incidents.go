// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/auspex-otel/auspex/internal/incident"
)

const defaultEndpoint = "http://127.0.0.1:8899"

var incidentID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// incidentsOptions are the flags of auspex incidents.
type incidentsOptions struct {
	state, endpoint, from string
	asJSON                bool
}

func newIncidents(env environment) *cobra.Command {
	var o incidentsOptions
	cmd := &cobra.Command{
		Use:   "incidents [ID]",
		Short: "List incidents, or show one",
		Long: `List the incidents of a running collector, or of what 'auspex backtest otlp' wrote,
the latest first, or show one with its suspects and anomalies. Times are event
times, in the local time zone.

A score of 1 is the threshold: above it, a series is anomalous.

` + exitCodes,
		Example: `  # the open ones
  auspex incidents

  # those that are over, too
  auspex incidents --state all

  # one, with its suspects and anomalies
  auspex incidents 9f86d081884c7d65

  # those that a backtest found
  auspex incidents --from judged

  # of a collector whose console listens elsewhere, as JSON with times in RFC 3339
  auspex incidents --endpoint http://127.0.0.1:18899 --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("takes one id at most, but got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.Flags().Changed("state") {
				return errors.New("--state selects from the list: leave it out, or leave out the id")
			}
			if o.from != "" {
				if cmd.Flags().Changed("endpoint") {
					return errors.New("--from reads a folder and --endpoint asks a collector: leave out one of them")
				}
				if !cmd.Flags().Changed("state") {
					o.state = "all"
				}
				return recordedIncidents(env, o, args)
			}
			api, err := newClient(o.endpoint)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return listIncidents(cmd.Context(), env, api, o)
			}
			return showIncident(cmd.Context(), env, api, o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.state, "state", "open", "which to list: open, closed or all; with --from, all unless stated")
	f.StringVar(&o.from, "from", "", "show what 'auspex backtest otlp' wrote into this `folder`")
	f.StringVar(&o.endpoint, "endpoint", defaultEndpoint, "where the collector's console answers")
	f.BoolVar(&o.asJSON, "json", false, "print what the API answers")
	return cmd
}

func checkState(state string) error {
	switch state {
	case "open", "closed", "all":
		return nil
	}
	return fmt.Errorf("--state is %q, but must be open, closed or all", state)
}

func checkID(id string) error {
	if !incidentID.MatchString(id) {
		return fmt.Errorf("%q is not the id of an incident, 16 hexadecimal digits: 'auspex incidents --state all' lists them", id)
	}
	return nil
}

func listIncidents(ctx context.Context, env environment, api *client, o incidentsOptions) error {
	if err := checkState(o.state); err != nil {
		return err
	}
	var answer struct {
		Incidents *[]incident.Incident `json:"incidents"`
	}
	raw, err := api.get(ctx, "/api/v1/incidents?state="+o.state, &answer)
	if err != nil {
		return failure{err}
	}
	if answer.Incidents == nil {
		return failure{api.foreign(`its answer has no "incidents"`)}
	}
	if o.asJSON {
		return env.write(raw)
	}
	var b bytes.Buffer
	printList(&b, *answer.Incidents, o.state, env.zone)
	return env.write(b.Bytes())
}

func showIncident(ctx context.Context, env environment, api *client, o incidentsOptions, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	var answer incident.Incident
	raw, err := api.get(ctx, "/api/v1/incidents/"+id, &answer)
	if r, ok := errors.AsType[*refusal](err); ok && r.status == http.StatusNotFound {
		return failure{fmt.Errorf("the collector at %s remembers no incident %s: 'auspex incidents --state all' lists those that it does", r.peer, id)}
	}
	if err != nil {
		return failure{err}
	}
	if answer.ID != id {
		return failure{api.foreign("its answer is not the incident " + id)}
	}
	if o.asJSON {
		return env.write(raw)
	}
	var b bytes.Buffer
	printIncident(&b, answer, env.zone)
	return env.write(b.Bytes())
}
