// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package vocabulary

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/detect/silence"
	"github.com/auspex-otel/auspex/internal/incident"
)

// Sentence describes an anomaly in one sentence, in the unit of the series. Times are UTC.
func Sentence(a *incident.Anomaly) string { return a.Service + " " + phrase(a, time.UTC) }

// Account describes an incident from its facts: the symptom, the likely cause with its
// evidence, the number of further anomalies, and the reason for closing.
func Account(i *incident.Incident, zone *time.Location) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s.", i.Symptom.Service, phrase(&i.Symptom, zone))
	told := map[string]bool{i.Symptom.ID: true}
	switch {
	case i.Undetermined:
		b.WriteString(" The cause cannot be determined: the evidence against " + examined(i.Suspects) + " is about equal.")
	case len(i.Suspects) > 0:
		first := firstOf(&i.Suspects[0])
		b.WriteString(" Likely cause: " + cause(i, first, zone) + ".")
		if first.ID != "" {
			told[first.ID] = true
		}
	}
	switch more := i.Count - len(told); {
	case more == 1:
		b.WriteString(" 1 more series follows.")
	case more > 1:
		fmt.Fprintf(&b, " %d more series follow.", more)
	}
	switch {
	case i.MergedInto != "":
		b.WriteString(" This is part of incident " + i.MergedInto + ".")
	case i.Reason != "":
		fmt.Fprintf(&b, " Closed at %s: %s.", clock(i.Closed, zone), closing(i))
	}
	return b.String()
}

// maxExamined bounds the suspects that a sentence names.
const maxExamined = 5

// examined lists the names of suspects.
func examined(suspects []incident.Suspect) string {
	names := make([]string, 0, maxExamined)
	for i := range suspects[:min(len(suspects), maxExamined)] {
		names = append(names, SuspectName(&suspects[i]))
	}
	if more := len(suspects) - len(names); more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), more)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// reasons maps the reasons for closing to texts.
var reasons = map[incident.Reason]string{
	incident.Recovered:  "the values are back inside the interval that was expected before",
	incident.Accepted:   "the new level is accepted as normal",
	incident.Silenced:   "it was silenced",
	incident.SeriesGone: "the series stopped",
}

// Reason describes why an anomaly or an incident closed, as text that follows a colon.
func Reason(r incident.Reason) string { return cmp.Or(reasons[r], string(r)) }

// closing describes why an incident closed. It names the change that explains a new level.
func closing(i *incident.Incident) string {
	text := Reason(i.Reason)
	if i.Reason == incident.Accepted && len(i.Suspects) > 0 {
		if c := telling(i.Suspects[0].Changes); c != nil {
			text += ", after " + Change(c)
		}
	}
	return text
}

// SuspectName returns the name of a suspect with its kind, unless it is a service.
func SuspectName(s *incident.Suspect) string {
	switch s.Kind {
	case incident.Host, incident.Database, incident.Queue:
		return string(s.Kind) + " " + s.Service
	case incident.Unknown:
		return s.Service + ", which sends no telemetry"
	default:
		return s.Service
	}
}

// cause returns a text about the first suspect, with its first evidence if that differs from the
// symptom, and the preceding changes.
func cause(i *incident.Incident, first *incident.Anomaly, zone *time.Location) string {
	s := &i.Suspects[0]
	var why []string
	name := SuspectName(s)
	switch {
	case s.Service == i.Symptom.Service && first.Peer.Name != s.Service:
		name = s.Service + " itself"
	case first.ID != "" && (first.Attributes[AttrBehaviorChange] == "" || len(s.Causes) == 0):
		whose := "its "
		if first.Service != s.Service {
			whose = first.Service + "'s "
		}
		text := strings.TrimPrefix(Finding(first), "its ")
		why = append(why, whose+text+", since "+clock(first.Opened, zone)+before(i.Suspects))
	}
	if len(s.Causes) > 0 && (len(why) == 0 || s.Causes[0].Gone) {
		why = append(why, s.Causes[0].What)
	}
	if c := telling(s.Changes); c != nil {
		text := "after " + Change(c)
		if len(why) == 0 {
			text += " at " + clock(c.Time, zone)
		}
		why = append(why, text)
	}
	if len(why) == 0 {
		return name
	}
	return name + " (" + strings.Join(why, ", ") + ")"
}

// before returns a text if the first suspect was anomalous before all others.
func before(suspects []incident.Suspect) string {
	for i := range suspects[1:] {
		if !suspects[1+i].Since.After(suspects[0].Since) {
			return ""
		}
	}
	if len(suspects) == 1 {
		return ""
	}
	return ", before all others"
}

// firstOf returns the evidence that opened first.
func firstOf(s *incident.Suspect) *incident.Anomaly {
	for i := range s.Also {
		if s.Also[i].Series == s.First {
			return &s.Also[i]
		}
	}
	return &s.Evidence
}

// changeOrder lists the kinds of changes, the most informative first.
var changeOrder = [...]incident.ChangeKind{
	incident.ChangeVersion, incident.ChangeImage, incident.ChangeDeployment, incident.ChangeConfig, incident.ChangeKubernetes, incident.ChangeRestart,
}

func telling(changes []incident.Change) *incident.Change {
	for _, kind := range changeOrder {
		for i := range changes {
			if changes[i].Kind == kind {
				return &changes[i]
			}
		}
	}
	return nil
}

// Change describes a change, as text that follows "after".
func Change(c *incident.Change) string {
	switch c.Kind {
	case incident.ChangeVersion:
		return "version " + c.What + " appeared"
	case incident.ChangeImage:
		return "image " + c.What + " appeared"
	case incident.ChangeRestart:
		if c.What == "" {
			return "it restarted"
		}
		return "instance " + c.What + " started"
	case incident.ChangeKubernetes:
		return "Kubernetes said " + c.What
	default:
		return "the event " + c.What
	}
}

// phrase describes an anomaly and its start, without its service.
func phrase(a *incident.Anomaly, zone *time.Location) string {
	over := a.State == incident.StateClosed
	since := " since " + clock(a.Opened, zone) + " " + zoneName(a.Opened, zone)
	if over {
		since = " from " + clock(a.Opened, zone) + " to " + clock(a.Closed, zone) + " " + zoneName(a.Closed, zone)
	}
	if a.Kind == silence.Kind {
		has, silentSince := "has sent", " since "
		if over {
			has, silentSince = "sent", " from "
		}
		return fmt.Sprintf("%s %s nothing%s%s %s", subject(a), has, silentSince, clock(a.SilentSince, zone), zoneName(a.SilentSince, zone))
	}
	text := finding(a, over) + "," + since
	if a.Attributes[AttrBehaviorChange] != "" {
		text = "behaves differently: " + text
	}
	if example := a.Attributes[AttrExample]; example != "" {
		text += ", such as " + quote(example)
	}
	return text
}

// Finding describes an anomaly without its service and times.
func Finding(a *incident.Anomaly) string { return finding(a, false) }

// past maps the verbs of findings to the past tense.
var past = map[string]string{"is": "was", "are": "were", "takes": "took", "fails in": "failed in", "sends nothing": "sent nothing"}

func finding(a *incident.Anomaly, over bool) string {
	if what := a.Attributes[AttrBehaviorChange]; what != "" {
		return what
	}
	m, of := MeasureOf(a), subject(a)
	verb, more := "is", ""
	switch {
	case a.Kind == silence.Kind:
		verb = "sends nothing"
	case a.Metric == MetricSpanCalls && a.Statistic == StatErrorRatio:
		verb, of, more = "fails in", a.Attributes[AttrSpanName], " of its calls"
	case a.Metric == MetricSpanDuration:
		verb, of = "takes", a.Attributes[AttrSpanName]
		if a.Statistic != StatP50 {
			more = " at " + a.Statistic
		}
	case a.Statistic == StatCount: // the subject states what is counted
		verb, m.unit = "are", ""
	}
	if over {
		verb = past[verb]
	}
	text := strings.TrimSpace(of + " " + verb)
	if a.Kind != silence.Kind {
		text += " " + m.Text(a.Observed) + more + ", usually " + usual(a, m)
	}
	return text
}

// usual returns the text of the expected value, or else of the interval.
func usual(a *incident.Anomaly, m Measure) string {
	if math.IsNaN(a.Expected) {
		return m.Bare(a.Lower) + " to " + m.Text(a.Upper)
	}
	return m.Text(a.Expected)
}

// Texts for the metrics that the engine derives from spans and logs.
var derivedNames = map[string]string{
	MetricSpanCalls:       "calls",
	MetricSpanDuration:    "",
	MetricSpanSelfTime:    "time of its own",
	MetricNewTemplates:    "new log templates",
	MetricOutsideInterval: "share of series outside their interval",
}

// subject returns the text for a series in its service: its subject, then its statistic.
func subject(a *incident.Anomaly) string {
	stat := strings.ReplaceAll(a.Statistic, "_", " ")
	if a.Statistic == StatValue || a.Statistic == StatCount {
		stat = ""
	}
	metric, derived := derivedNames[a.Metric]
	operation := a.Attributes[AttrSpanName]
	switch {
	case a.Metric == MetricLogRecords, a.Metric == MetricLogParameter:
		metric, operation = logSubject(a), ""
	case a.Metric == MetricSpanNetworkTime:
		metric, operation = "time on the way to "+a.Attributes[AttrPeerService], ""
	case a.Metric == MetricSpanCalls && a.Statistic == StatErrorRatio:
		metric = ""
	case !derived:
		metric = a.Metric
	}
	return strings.Join(strings.Fields(strings.Join([]string{operation, metric, stat}, " ")), " ")
}

func logSubject(a *incident.Anomaly) string {
	of := "log records"
	if a.Statistic == StatErrorRatio {
		of = "log"
	}
	template := a.Attributes[AttrTemplate]
	if template == "" {
		template = a.Attributes[AttrTemplateID]
	}
	if template != "" {
		of += " of " + quote(template)
	}
	if a.Metric == MetricLogParameter {
		return "number " + a.Attributes[AttrParameter] + " in " + of
	}
	return of
}

// maxQuote bounds the quoted part of a log line, in characters.
const maxQuote = 80

func quote(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > maxQuote {
		text = string(r[:maxQuote-1]) + "…"
	}
	return strconv.Quote(text)
}

func clock(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.TimeOnly) }

func zoneName(t time.Time, zone *time.Location) string {
	name, _ := t.In(zone).Zone()
	return name
}
