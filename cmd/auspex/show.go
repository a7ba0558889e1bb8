// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// printList writes incidents as a table with one line each.
func printList(b *bytes.Buffer, list []incident.Incident, state string, zone *time.Location) {
	if len(list) == 0 {
		if state == "all" {
			fmt.Fprintln(b, "No incidents.")
			return
		}
		fmt.Fprintf(b, "No %s incidents.\n", state)
		return
	}
	t := newTable("ID", "STATE", "SERVICE", "SINCE", ">MAX SCORE", ">SERIES", "FIRST SUSPECT", "EVIDENCE")
	for _, i := range list {
		suspect, evidence := "-", "-"
		if len(i.Suspects) > 0 {
			s := &i.Suspects[0]
			suspect = vocabulary.SuspectName(s)
			if s.Evidence.ID != "" {
				evidence = vocabulary.Finding(&s.Evidence)
			} else if len(s.Causes) > 0 {
				evidence = s.Causes[0].What
			}
		}
		t.add(i.ID, string(i.State), i.Service, when(i.Opened, zone), score(i.MaxScore), strconv.Itoa(max(i.Count, len(i.Anomalies))), suspect, evidence)
	}
	t.print(b, "")
}

// printIncident writes one incident with its suspects and anomalies.
func printIncident(b *bytes.Buffer, i incident.Incident, zone *time.Location) {
	fmt.Fprintf(b, "Incident %s\n", clean(i.ID))
	if i.Symptom.ID != "" {
		fmt.Fprintf(b, "  %s\n\n", clean(vocabulary.Account(&i, zone)))
	}
	facts := newTable()
	facts.add("service", i.Service)
	facts.add("state", string(i.State))
	facts.add("since", when(i.Opened, zone))
	facts.add("updated", when(i.Updated, zone))
	if !i.Closed.IsZero() {
		closed := when(i.Closed, zone)
		if i.Reason != "" {
			closed += ": " + vocabulary.Reason(i.Reason)
		}
		facts.add("closed", closed)
	}
	if i.MergedInto != "" {
		facts.add("part of", i.MergedInto)
	}
	facts.add("max score", score(i.MaxScore)+" (1 is the threshold)")
	if len(i.TraceIDs) > 0 {
		facts.add("seen in traces", strings.Join(i.TraceIDs, " "))
	}
	facts.print(b, "  ")

	fmt.Fprintln(b, "\nSuspects, most likely first")
	if i.Undetermined {
		fmt.Fprintln(b, "  The evidence does not distinguish between the first suspects.")
	}
	if len(i.Suspects) == 0 {
		fmt.Fprintln(b, "  none")
	}
	for n, s := range i.Suspects {
		fmt.Fprintf(b, "  %d. %s, since %s (%s)%s\n", n+1, clean(vocabulary.SuspectName(&s)), when(s.Since, zone), vocabulary.Odds(s.Surprise), below(s.Hops))
		for _, a := range append([]incident.Anomaly{s.Evidence}, s.Also...) {
			if a.ID != "" {
				fmt.Fprintf(b, "     %s\n", clean(evidence(&s, &a)))
			}
		}
		for _, c := range s.Causes {
			fmt.Fprintf(b, "     %s, since %s\n", clean(c.What), when(c.Since, zone))
		}
		for _, c := range s.Changes {
			fmt.Fprintf(b, "     %s, %s\n", when(c.Time, zone), clean(vocabulary.Change(&c)))
		}
	}

	if len(i.History) > 0 {
		fmt.Fprintln(b, "\nHistory")
		for _, e := range i.History {
			fmt.Fprintf(b, "  %s, %s\n", when(e.Time, zone), clean(e.What))
		}
	}

	fmt.Fprintln(b, "\nAnomalies, in order of opening")
	if len(i.Anomalies) == 0 {
		fmt.Fprintln(b, "  none")
		return
	}
	t := newTable("ID", "STATE", "SINCE", "UNTIL", ">MAX SCORE", ">OBSERVED", ">EXPECTED", "INTERVAL", "SERIES")
	for _, a := range i.Anomalies {
		until := "-"
		if !a.Closed.IsZero() {
			until = when(a.Closed, zone)
		}
		m := vocabulary.MeasureOf(&a)
		t.add(a.ID, string(a.State), when(a.Opened, zone), until, score(a.MaxScore), m.Text(a.Observed), m.Text(a.Expected),
			m.Text(a.Lower)+" to "+m.Text(a.Upper), subject(a.Subject)+attributes(a.Attributes))
	}
	t.print(b, "  ")
}

// below returns the number of calls between a suspect and the service with the symptom, as text.
func below(hops int) string {
	switch {
	case hops < 1:
		return ""
	case hops == 1:
		return ", 1 call below"
	default:
		return fmt.Sprintf(", %d calls below", hops)
	}
}

// evidence describes an anomaly of a suspect with its observed value and interval.
func evidence(s *incident.Suspect, a *incident.Anomaly) string {
	text := vocabulary.Finding(a)
	if a.Service != s.Service {
		text = a.Service + ": " + text
	}
	if a.Attributes[vocabulary.AttrBehaviorChange] != "" {
		return text
	}
	m := vocabulary.MeasureOf(a)
	return fmt.Sprintf("%s (%s to %s)%s", text, m.Bare(a.Lower), m.Text(a.Upper), attributes(a.Attributes))
}

// subject returns the name of a series without its attributes.
func subject(s incident.Subject) string {
	if s.Statistic == "value" || s.Statistic == "" {
		return s.Metric
	}
	return strings.ReplaceAll(s.Statistic, "_", " ") + " of " + s.Metric
}

func attributes(m map[string]string) string {
	if len(m) == 0 {
		return ""
	}
	pairs := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, k+"="+m[k])
	}
	return " {" + strings.Join(pairs, ", ") + "}"
}

func when(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02 15:04:05 MST")
}

func score(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }
