// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package vocabulary

import (
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/incident"
)

// PutAnomaly writes an anomaly to an empty log record, as the event auspex.anomaly.
func PutAnomaly(lr plog.LogRecord, a *incident.Anomaly) {
	putHead(lr, EventAnomaly, a.Updated, a.State)
	lr.Body().SetStr(Sentence(a))
	at := lr.Attributes()
	at.PutStr(AttrAnomalyID, a.ID)
	putText(at, AttrIncidentID, a.Incident)
	at.PutStr(AttrState, string(a.State))
	putTime(at, AttrOpened, a.Opened)
	putTime(at, AttrClosed, a.Closed)
	putText(at, AttrClosedBecause, string(a.Reason))
	putTime(at, AttrSilentSince, a.SilentSince)
	at.PutStr(AttrSeries, a.Series)
	at.PutStr(AttrMetric, a.Metric)
	at.PutStr(AttrStatistic, a.Statistic)
	at.PutStr(AttrUnit, a.Unit)
	at.PutStr(AttrKind, a.Kind)
	at.PutDouble(MetricScore, a.MaxScore)
	at.PutDouble(MetricObserved, a.Observed)
	at.PutDouble(MetricExpected, a.Expected)
	at.PutDouble(MetricLower, a.Lower)
	at.PutDouble(MetricUpper, a.Upper)
	putTexts(at, AttrAnomalyTraces, a.TraceIDs)
	for _, k := range slices.Sorted(maps.Keys(a.Attributes)) { // so that a repeated event has the same bytes
		if _, taken := at.Get(k); !taken {
			at.PutStr(k, a.Attributes[k])
		}
	}
}

// PutIncident writes an incident to an empty log record, as the event auspex.incident.
func PutIncident(lr plog.LogRecord, i *incident.Incident) {
	putHead(lr, EventIncident, i.Updated, i.State)
	lr.Body().SetStr(Account(i, time.UTC))
	at := lr.Attributes()
	at.PutStr(AttrIncidentID, i.ID)
	at.PutStr(AttrIncState, string(i.State))
	if i.MergedInto != "" {
		at.PutStr(AttrMergedInto, i.MergedInto)
	}
	putTime(at, AttrIncOpened, i.Opened)
	putTime(at, AttrIncClosed, i.Closed)
	putText(at, AttrIncClosedBecause, string(i.Reason))
	at.PutDouble(MetricMaxScore, i.MaxScore)
	at.PutInt(AttrAnomalyCount, int64(i.Count))
	putTexts(at, AttrIncServices, i.Services)
	var suspects, kinds, evidence, changes, history []string
	for _, e := range i.History {
		history = append(history, e.Time.Format(time.RFC3339)+" "+e.What)
	}
	for n := range i.Suspects {
		s := &i.Suspects[n]
		suspects, kinds = append(suspects, s.Service), append(kinds, string(s.Kind))
		if n < maxEvidence {
			evidence = append(evidence, Evidence(s))
		}
		for _, c := range s.Changes {
			if len(changes) < maxEvidence {
				changes = append(changes, s.Service+": "+Change(&c)+" at "+c.Time.Format(time.RFC3339))
			}
		}
	}
	putTexts(at, AttrSuspects, suspects)
	putTexts(at, AttrSuspectKinds, kinds)
	putTexts(at, AttrHistory, history)
	putTexts(at, AttrEvidence, evidence)
	putTexts(at, AttrChanges, changes)
	putTexts(at, AttrTraces, i.TraceIDs)
	if len(suspects) > 0 {
		at.PutStr(AttrSuspect, suspects[0])
		at.PutBool(AttrUndetermined, i.Undetermined)
	}
}

// Evidence describes the strongest evidence against a suspect.
func Evidence(s *incident.Suspect) string {
	switch {
	case s.Evidence.ID != "":
		return Sentence(&s.Evidence)
	case len(s.Causes) > 0:
		return s.Service + ": " + s.Causes[0].What
	default:
		return s.Service
	}
}

// maxEvidence bounds the suspects with evidence in an event, and the changes in it.
const maxEvidence = 10

// putText adds a text unless it is empty.
func putText(at pcommon.Map, name, text string) {
	if text != "" {
		at.PutStr(name, text)
	}
}

// putTexts adds a list unless it is empty.
func putTexts(at pcommon.Map, name string, list []string) {
	if len(list) == 0 {
		return
	}
	slice := at.PutEmptySlice(name)
	for _, text := range list {
		slice.AppendEmpty().SetStr(text)
	}
}

func putHead(lr plog.LogRecord, name string, at time.Time, s incident.State) {
	lr.SetEventName(name)
	lr.SetTimestamp(pcommon.NewTimestampFromTime(at))
	if s == incident.StateOpen {
		lr.SetSeverityNumber(plog.SeverityNumberWarn)
		lr.SetSeverityText("WARN")
		return
	}
	lr.SetSeverityNumber(plog.SeverityNumberInfo)
	lr.SetSeverityText("INFO")
}

// putTime adds a time unless it is zero.
func putTime(at pcommon.Map, name string, t time.Time) {
	if !t.IsZero() {
		at.PutStr(name, t.Format(time.RFC3339Nano))
	}
}
