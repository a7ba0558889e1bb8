// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/auspex-otel/auspex/internal/engine"
)

// silenceOptions are the flags of auspex silence.
type silenceOptions struct {
	endpoint string
	asJSON   bool
	who      string
}

func newSilence(env environment) *cobra.Command {
	o := &silenceOptions{}
	cmd := &cobra.Command{
		Use:   "silence",
		Short: "Silence anomalies of a target, or accept its behavior as normal",
		Long: `Add, list, and remove silences. A silence prevents a service, a series, a log
template, or an operation from opening anomalies until it expires. Adding one
closes the open anomalies of its target. The collector stores the silences, and a
log of who added and removed them, with its state.

` + exitCodes,
		Example: `  # a load test
  auspex silence add --service checkout --for 2h --why 'load test'

  # orders doubled since the campaign: learn the new level, and open no anomalies meanwhile
  auspex silence add --series 9f86d081884c7d65 --normal --why campaign

  # list the active silences and the audit log
  auspex silence list --audit

  # the load test is over
  auspex silence remove 9f86d081884c7d65`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := cmd.PersistentFlags()
	f.StringVar(&o.endpoint, "endpoint", defaultEndpoint, "address of the collector's console")
	f.BoolVar(&o.asJSON, "json", false, "print the API response")
	cmd.AddCommand(newSilenceAdd(env, o), newSilenceList(env, o), newSilenceRemove(env, o))
	return cmd
}

func newSilenceAdd(env environment, o *silenceOptions) *cobra.Command {
	var said engine.Feedback
	var last time.Duration
	var normal bool
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Stop a target from opening anomalies",
		Long: `Stop a target from opening anomalies, and close its open ones. If several flags
are set, the target must match all of them.

With --normal, the anomalous series of the target start over: they discard
their history, and open no anomalies until they have learned the present behavior.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if said.Target == (engine.Target{}) {
				return errors.New("no target: set --service, --series, --template, or --operation")
			}
			if strings.TrimSpace(said.Why) == "" {
				return errors.New("--why is not set: give the reason, so that others understand the silence")
			}
			if last <= 0 {
				return fmt.Errorf("--for is %s; must be positive", last)
			}
			said.Kind, said.Who, said.Expires = engine.FeedbackSilence, o.who, time.Now().Add(last).UTC().Truncate(time.Second)
			if normal {
				said.Kind = engine.FeedbackNormal
			}
			return o.change(cmd.Context(), env, http.MethodPost, "/api/v1/silences", said, "Added")
		},
	}
	f := cmd.Flags()
	f.StringVar(&said.Service, "service", "", "service name")
	f.StringVar(&said.Series, "series", "", "series identity, as listed by the API")
	f.StringVar(&said.Template, "template", "", "log template identity (log.record.template.id)")
	f.StringVar(&said.Operation, "operation", "", "operation: the name of its spans")
	f.StringVar(&said.Why, "why", "", "reason of the silence")
	f.DurationVar(&last, "for", 24*time.Hour, "duration of the silence")
	f.BoolVar(&normal, "normal", false, "accept the present behavior as normal: discard the history and learn again")
	o.whoFlag(cmd)
	return cmd
}

func newSilenceRemove(env environment, o *silenceOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove ID",
		Short: "End a silence",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("expected the id of one silence, got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !incidentID.MatchString(args[0]) {
				return fmt.Errorf("%q is not the id of a silence (16 hexadecimal digits); run 'auspex silence list' to list the ids", args[0])
			}
			return o.change(cmd.Context(), env, http.MethodDelete, "/api/v1/silences/"+args[0]+"?who="+url.QueryEscape(o.who), nil, "Removed")
		},
	}
	o.whoFlag(cmd)
	return cmd
}

func newSilenceList(env environment, o *silenceOptions) *cobra.Command {
	var audit bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the active silences",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := newClient(o.endpoint)
			if err != nil {
				return err
			}
			var answer struct {
				Silences *[]engine.Feedback `json:"silences"`
				Audit    []engine.Audit     `json:"audit"`
			}
			raw, err := api.get(cmd.Context(), "/api/v1/silences", &answer)
			if err != nil {
				return failure{err}
			}
			if answer.Silences == nil {
				return failure{api.foreign(`the response has no "silences"`)}
			}
			if o.asJSON {
				return env.write(raw)
			}
			var b bytes.Buffer
			printSilences(&b, *answer.Silences, env.zone)
			if audit {
				printAudit(&b, answer.Audit, env.zone)
			}
			return env.write(b.Bytes())
		},
	}
	cmd.Flags().BoolVar(&audit, "audit", false, "also list the audit log")
	return cmd
}

// whoFlag adds the flag --who, which defaults to the user name.
func (o *silenceOptions) whoFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.who, "who", "", "author of the change (default: your user name)")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if o.who == "" {
			o.who = userName()
		}
		if o.who == "" {
			return errors.New("cannot determine your user name; set --who")
		}
		return nil
	}
}

func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return os.Getenv("USER")
}

// change sends a request that adds or removes a silence, and prints the result.
func (o *silenceOptions) change(ctx context.Context, env environment, method, path string, body any, done string) error {
	api, err := newClient(o.endpoint)
	if err != nil {
		return err
	}
	var answer engine.Feedback
	raw, err := api.send(ctx, method, path, body, &answer)
	if err != nil {
		return failure{err}
	}
	if answer.ID == "" {
		return failure{api.foreign("the response is not a silence")}
	}
	if o.asJSON {
		return env.write(raw)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s: %s, until %s.\n", done, clean(answer.ID), clean(target(answer)), when(answer.Expires, env.zone))
	return env.write(b.Bytes())
}

func printSilences(b *bytes.Buffer, list []engine.Feedback, zone *time.Location) {
	if len(list) == 0 {
		fmt.Fprintln(b, "No silences.")
		return
	}
	t := newTable("ID", "KIND", "OF", "UNTIL", "WHO", "WHY")
	for _, f := range list {
		t.add(f.ID, string(f.Kind), target(f), when(f.Expires, zone), f.Who, f.Why)
	}
	t.print(b, "")
}

func printAudit(b *bytes.Buffer, list []engine.Audit, zone *time.Location) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(b, "\nAudit log, latest first")
	t := newTable("TIME", "WHO", "WHAT", "ID", "OF", "WHY")
	for _, a := range list {
		t.add(when(a.Time, zone), a.Who, a.Action+" "+string(a.Feedback.Kind), a.Feedback.ID, target(a.Feedback), a.Feedback.Why)
	}
	t.print(b, "  ")
}

// target describes the target of a silence.
func target(f engine.Feedback) string {
	var parts []string
	for _, p := range [...]struct{ name, value string }{
		{"service", f.Service}, {"series", f.Series}, {"template", f.Template}, {"operation", f.Operation},
	} {
		if p.value != "" {
			parts = append(parts, p.name+" "+p.value)
		}
	}
	return strings.Join(parts, ", ")
}
