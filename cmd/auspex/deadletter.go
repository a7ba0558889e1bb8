// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/auspex-otel/auspex/distro/config/auspexprovider"
	"github.com/auspex-otel/auspex/internal/deadletter"
)

// deadLetterOptions are the flags of auspex deadletter list.
type deadLetterOptions struct {
	directory, component string
	limit                int
	asJSON               bool
}

func newDeadLetter(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deadletter",
		Short: "List data that was rejected permanently",
		Long: `List the data that a receiver or a backend rejected permanently, with the reasons.
The dead letters are read from disk, so no collector needs to run.

` + exitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDeadLetterList(env))
	return cmd
}

func newDeadLetterList(env environment) *cobra.Command {
	var o deadLetterOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters",
		Long: `List dead letters, the oldest first. The time is that of the writing, in the local
time zone. With --json each line is a dead letter with its payload.

` + exitCodes,
		Example: `  # the last 50 of all components
  auspex deadletter list

  # all of one exporter, with their payloads
  auspex deadletter list --component exporters::elasticsearch --limit 0 --json

  # of a configuration with another folder
  auspex deadletter list --directory /var/lib/auspex/dead_letter`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return listDeadLetters(env, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.directory, "directory", "", "dead_letter::directory of the configuration (default: dead_letter in the state folder)")
	f.StringVar(&o.component, "component", "", "list only the dead letters of this component, such as exporters::elasticsearch")
	f.IntVar(&o.limit, "limit", 50, "maximum number of dead letters; the newest are listed; 0 for all")
	f.BoolVar(&o.asJSON, "json", false, "print dead letters in their stored form, one JSON object per line")
	return cmd
}

func listDeadLetters(env environment, o deadLetterOptions) error {
	if o.limit < 0 {
		return fmt.Errorf("--limit is %d; must be 0 or more", o.limit)
	}
	if o.directory == "" {
		o.directory = filepath.Join(auspexprovider.StateDir(), "dead_letter")
	}
	newest := newestLetters{limit: o.limit}
	total := 0
	damaged, err := deadletter.Read(o.directory, func(l deadletter.Letter) error {
		if o.component != "" && o.component != l.Component {
			return nil
		}
		total++
		if !o.asJSON {
			l.Payload, l.Attributes = nil, nil
		}
		newest.add(l)
		return nil
	})
	if err != nil {
		return failure{fmt.Errorf("cannot read the dead letters below %s: %w", o.directory, err)}
	}
	letters := newest.sorted()
	if damaged > 0 {
		_, _ = fmt.Fprintf(env.errs, "skipped lines below %s that are not complete dead letters, possibly after a crash: %d\n", o.directory, damaged)
	}
	var b bytes.Buffer
	if o.asJSON {
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		for _, l := range letters {
			if err := enc.Encode(l); err != nil {
				return failure{err}
			}
		}
		return env.write(b.Bytes())
	}
	printDeadLetters(&b, letters, total, o.directory, env.zone)
	return env.write(b.Bytes())
}

func printDeadLetters(b *bytes.Buffer, letters []deadletter.Letter, total int, directory string, zone *time.Location) {
	if total == 0 {
		fmt.Fprintf(b, "No dead letters in %s.\n", clean(directory))
		return
	}
	t := newTable("TIME", "COMPONENT", ">ITEMS", "REASON")
	for _, l := range letters {
		t.add(l.Time.In(zone).Format(time.DateTime), l.Component, strconv.Itoa(l.Items), l.Reason)
	}
	t.print(b, "")
	fmt.Fprintf(b, "\n%d of %d dead letters in %s\n", len(letters), total, clean(directory))
}

// newestLetters keeps the newest letters, at most limit if that is above 0. It
// holds at most twice as many.
type newestLetters struct {
	limit   int
	letters []deadletter.Letter
}

func (n *newestLetters) add(l deadletter.Letter) {
	n.letters = append(n.letters, l)
	if n.limit > 0 && len(n.letters) >= 2*n.limit {
		n.letters = n.sorted()
	}
}

// sorted returns the letters, oldest first.
func (n *newestLetters) sorted() []deadletter.Letter {
	slices.SortStableFunc(n.letters, func(a, b deadletter.Letter) int { return a.Time.Compare(b.Time) })
	if n.limit > 0 && len(n.letters) > n.limit {
		n.letters = slices.Clone(n.letters[len(n.letters)-n.limit:])
	}
	return n.letters
}
