// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package alertmanagerexporter

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Labels of an alert. They never change while an incident is open, because
// Alertmanager identifies an alert by its labels.
const (
	labelAlert    = "alertname"
	labelSeverity = "severity"
	labelService  = "service"
	labelIncident = "incident_id"
)

var ownLabels = []string{labelAlert, labelSeverity, labelService, labelIncident}

// maxLabel and maxAnnotation bound the bytes of a value.
const maxLabel, maxAnnotation = 1 << 10, 2 << 10

// alert is a postableAlert of Alertmanager's API v2.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// update is one state of an incident, as an event describes it.
type update struct {
	ID      string    `json:"id"`
	Updated time.Time `json:"updated"` // event time
	Closed  bool      `json:"closed,omitempty"`
	// Alert has no EndsAt while the incident is open.
	Alert alert `json:"alert"`
}

// incidents returns the updates in a batch, in order. Records that are not incidents,
// such as the events of single anomalies, are skipped.
func (c *Config) incidents(ld plog.Logs) []update {
	var found []update
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if id := text(lr.Attributes(), vocabulary.AttrIncidentID); id != "" && lr.EventName() == vocabulary.EventIncident {
					found = append(found, c.incident(id, rl.Resource().Attributes(), lr))
				}
			}
		}
	}
	return found
}

func (c *Config) incident(id string, resource pcommon.Map, lr plog.LogRecord) update {
	at := lr.Attributes()
	u := update{
		ID: clip(id, maxLabel), Updated: lr.Timestamp().AsTime(),
		Closed: text(at, vocabulary.AttrIncState) == string(incident.StateClosed),
	}
	labels := maps.Clone(c.ExternalLabels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[labelAlert], labels[labelIncident] = vocabulary.AlertIncident, u.ID
	labels[labelService] = clip(vocabulary.Service(resource), maxLabel)
	labels[labelSeverity] = clip(c.severity(resource, at), maxLabel)
	u.Alert = alert{Labels: labels, Annotations: annotations(labels[labelService], lr), StartsAt: when(at, vocabulary.AttrIncOpened, u.Updated)}
	if c.GeneratorURL != "" {
		u.Alert.GeneratorURL = strings.TrimSuffix(c.GeneratorURL, "/") + "/incidents/" + u.ID
		u.Alert.Annotations["console"] = u.Alert.GeneratorURL
	}
	if u.Closed {
		u.Alert.EndsAt = when(at, vocabulary.AttrIncClosed, u.Updated)
	}
	return u
}

func (c *Config) severity(resource, record pcommon.Map) string {
	if c.SeverityAttribute != "" {
		for _, attributes := range []pcommon.Map{record, resource} {
			if s := text(attributes, c.SeverityAttribute); s != "" {
				return s
			}
		}
	}
	return c.DefaultSeverity
}

// annotations describes an incident. Unlike labels, annotations change with each update.
func annotations(service string, lr plog.LogRecord) map[string]string {
	at := lr.Attributes()
	a := map[string]string{"summary": summary(service, at), "runbook_url": vocabulary.Runbook(vocabulary.AlertIncident)}
	put := func(name, value string) {
		if value != "" {
			a[name] = clip(value, maxAnnotation)
		}
	}
	put("description", lr.Body().AsString())
	put("suspects", suspects(at))
	put("services", strings.Join(list(at, vocabulary.AttrIncServices), ", "))
	put("evidence", strings.Join(list(at, vocabulary.AttrEvidence), "\n"))
	put("changes", strings.Join(list(at, vocabulary.AttrChanges), "\n"))
	put("trace_ids", strings.Join(list(at, vocabulary.AttrTraces), ", "))
	put("anomalies", text(at, vocabulary.AttrAnomalyCount))
	put("closed_because", text(at, vocabulary.AttrIncClosedBecause))
	put("merged_into", text(at, vocabulary.AttrMergedInto))
	if v, ok := at.Get(vocabulary.MetricMaxScore); ok && v.Type() == pcommon.ValueTypeDouble {
		put("max_score", strconv.FormatFloat(v.Double(), 'f', 1, 64))
	}
	return a
}

func summary(service string, at pcommon.Map) string {
	suspect := text(at, vocabulary.AttrSuspect)
	switch {
	case suspect == "":
		return clip("Incident of "+service, maxAnnotation)
	case text(at, vocabulary.AttrUndetermined) == "true":
		return clip("Incident of "+service+", the cause is undetermined", maxAnnotation)
	default:
		return clip("Incident of "+service+", likely cause: "+suspect, maxAnnotation)
	}
}

// suspects lists the suspects with their kinds, the likeliest first.
func suspects(at pcommon.Map) string {
	names, kinds := list(at, vocabulary.AttrSuspects), list(at, vocabulary.AttrSuspectKinds)
	for i := range names {
		if i < len(kinds) {
			names[i] = fmt.Sprintf("%s (%s)", names[i], kinds[i])
		}
	}
	return strings.Join(names, ", ")
}

// text returns an attribute as text, "" if it is absent.
func text(at pcommon.Map, name string) string {
	if v, ok := at.Get(name); ok {
		return v.AsString()
	}
	return ""
}

// list returns the items of an attribute that is a list.
func list(at pcommon.Map, name string) []string {
	v, ok := at.Get(name)
	if !ok || v.Type() != pcommon.ValueTypeSlice {
		return nil
	}
	var items []string
	for _, item := range v.Slice().All() {
		items = append(items, item.AsString())
	}
	return items
}

// when returns an attribute as a time, or fallback if it is absent or not in RFC 3339.
func when(at pcommon.Map, name string, fallback time.Time) time.Time {
	if t, err := time.Parse(time.RFC3339Nano, text(at, name)); err == nil {
		return t.UTC()
	}
	return fallback
}

// clip returns a text of at most limit bytes that is valid UTF-8.
func clip(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit-len("…")]
		return strings.ToValidUTF8(s, "") + "…"
	}
	return strings.Clone(strings.ToValidUTF8(s, ""))
}
