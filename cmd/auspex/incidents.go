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
		Long: `List the incidents of a running collector or of a backtest, the latest first, or show
one with its suspects and anomalies. Times are event times in the local time zone.

A score of 1 is the threshold: above it, a series is anomalous.

` + exitCodes,
		Example: `  # open incidents
  auspex incidents

  # also closed incidents
  auspex incidents --state all

  # one incident with its suspects and anomalies
  auspex incidents 9f86d081884c7d65

  # incidents that a backtest found
  auspex incidents --from judged

  # of a collector with another console address, as JSON with times in RFC 3339
  auspex incidents --endpoint http://127.0.0.1:18899 --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("expected at most one id, got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.Flags().Changed("state") {
				return errors.New("--state applies to the list only: omit --state or the id")
			}
			if o.from != "" {
				if cmd.Flags().Changed("endpoint") {
					return errors.New("--from and --endpoint exclude each other: omit one of them")
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
	f.StringVar(&o.state, "state", "open", "incidents to list: open, closed, or all (the default with --from)")
	f.StringVar(&o.from, "from", "", "read the output `folder` of 'auspex backtest otlp' instead of a collector")
	f.StringVar(&o.endpoint, "endpoint", defaultEndpoint, "address of the collector's console")
	f.BoolVar(&o.asJSON, "json", false, "print the API response")
	return cmd
}

func checkState(state string) error {
	switch state {
	case "open", "closed", "all":
		return nil
	}
	return fmt.Errorf("--state is %q; must be open, closed, or all", state)
}

func checkID(id string) error {
	if !incidentID.MatchString(id) {
		return fmt.Errorf("%q is not the id of an incident (16 hexadecimal digits); run 'auspex incidents --state all' to list the ids", id)
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
		return failure{api.foreign(`the response has no "incidents"`)}
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
		return failure{fmt.Errorf("the collector at %s has no incident %s; run 'auspex incidents --state all' to list its incidents", r.peer, id)}
	}
	if err != nil {
		return failure{err}
	}
	if answer.ID != id {
		return failure{api.foreign("the response is not the incident " + id)}
	}
	if o.asJSON {
		return env.write(raw)
	}
	var b bytes.Buffer
	printIncident(&b, answer, env.zone)
	return env.write(b.Bytes())
}
