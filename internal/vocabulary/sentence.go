// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package vocabulary

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/silence"
	"github.com/auspex-otel/auspex/internal/incident"
)

// Sentence says what an anomaly is about, in the unit of the series. Times are UTC.
func Sentence(a *incident.Anomaly) string { return a.Service + " " + phrase(a, time.UTC) }

// Account says what an incident is about, from its facts alone: what is seen of
// it, the likely cause with what speaks for that, and how much more there is.
func Account(i *incident.Incident, zone *time.Location) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s.", i.Symptom.Service, phrase(&i.Symptom, zone))
	told := map[string]bool{i.Symptom.ID: true}
	if len(i.Suspects) > 0 {
		first := firstOf(&i.Suspects[0])
		b.WriteString(" Likely cause: " + cause(i, first, zone) + ".")
		if i.Suspects[0].Service != i.Symptom.Service && first.ID != "" {
			told[first.ID] = true
		}
	}
	switch more := i.Count - len(told); {
	case more == 1:
		b.WriteString(" 1 more series follows.")
	case more > 1:
		fmt.Fprintf(&b, " %d more series follow.", more)
	}
	if i.MergedInto != "" {
		b.WriteString(" This is part of incident " + i.MergedInto + ".")
	}
	return b.String()
}

// cause names the first suspect, with its first evidence where it is not what is seen anyway, and what was changed before.
func cause(i *incident.Incident, first *incident.Anomaly, zone *time.Location) string {
	s := &i.Suspects[0]
	var why []string
	name := s.Service + " itself"
	if s.Service != i.Symptom.Service {
		name = s.Service
		order := "first, "
		for _, other := range i.Suspects[1:] {
			if !other.Since.After(s.Since) {
				order = ""
			}
		}
		if len(i.Suspects) == 1 {
			order = ""
		}
		switch what := first.Attributes[AttrBehaviour]; {
		case what != "" && len(s.Causes) == 0:
			why = append(why, what)
		case what == "" && first.ID != "":
			why = append(why, fmt.Sprintf("its %s %s %sat %s", subject(first), verb(first), order, clock(first.Opened, zone)))
		}
	}
	if len(s.Causes) > 0 {
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

// firstOf is the evidence that opened first.
func firstOf(s *incident.Suspect) *incident.Anomaly {
	for i := range s.Also {
		if s.Also[i].Series == s.First {
			return &s.Also[i]
		}
	}
	return &s.Evidence
}

// changeOrder is which change says the most.
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

// Change says what was changed, as it goes on after "after".
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

// phrase says what is strange about a series, without its service.
func phrase(a *incident.Anomaly, zone *time.Location) string {
	is, since := "is", " since "+clock(a.Opened, zone)+" "+zoneName(a.Opened, zone)
	if a.State == incident.StateClosed {
		is, since = "was", " from "+clock(a.Opened, zone)+" to "+clock(a.Closed, zone)+" "+zoneName(a.Closed, zone)
	}
	if a.Kind == silence.Kind {
		has, silentSince := "has sent", " since "
		if a.State == incident.StateClosed {
			has, silentSince = "sent", " from "
		}
		return fmt.Sprintf("%s %s nothing%s%s %s", subject(a), has, silentSince, clock(a.SilentSince, zone), zoneName(a.SilentSince, zone))
	}
	if what := a.Attributes[AttrBehaviour]; what != "" {
		return "behaves otherwise: " + what + "," + since
	}
	m := MeasureOf(a)
	if a.Statistic == StatCount { // the subject says what is counted
		m.unit, is = "", map[string]string{"is": "are", "was": "were"}[is]
	}
	text := fmt.Sprintf("%s %s %s, expected %s,%s", subject(a), is, m.Text(a.Observed), expected(a, m), since)
	if example := a.Attributes[AttrExample]; example != "" {
		text += ", such as " + quote(example)
	}
	return text
}

// expected is the band, or its middle where it has no width.
func expected(a *incident.Anomaly, m Measure) string {
	if low, high := m.Bare(a.Lower), m.Bare(a.Upper); low != high {
		return low + " to " + high
	}
	return m.Bare(a.Expected)
}

// verb is how a series left what was expected.
func verb(a *incident.Anomaly) string {
	switch a.Kind {
	case detect.KindHigh.String():
		return "rose"
	case detect.KindLow.String():
		return "fell"
	case silence.Kind:
		return "went silent"
	default:
		return "changed"
	}
}

// Words for what the engine makes from spans and logs.
var derivedNames = map[string]string{
	MetricSpanCalls:    "calls",
	MetricSpanDuration: "",
	MetricSpanSelfTime: "time of its own",
	MetricNewTemplates: "new log templates",
	MetricOutsideBand:  "share of series outside their band",
}

// subject names a series in its service: what it is of, then its statistic.
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

// maxQuote bounds what is quoted of a log line, in characters.
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
