// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package vocabulary

import (
	"fmt"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/detect/silence"
	"github.com/auspex-otel/auspex/internal/incident"
)

// PutAnomaly writes an anomaly into an empty log record, as the event auspex.anomaly.
func PutAnomaly(lr plog.LogRecord, a *incident.Anomaly) {
	putHead(lr, EventAnomaly, a.Updated, a.State)
	lr.Body().SetStr(Sentence(a))
	at := lr.Attributes()
	at.PutStr(AttrAnomalyID, a.ID)
	at.PutStr(AttrIncidentID, a.Incident)
	at.PutStr(AttrState, string(a.State))
	putTime(at, AttrOpened, a.Opened)
	putTime(at, AttrClosed, a.Closed)
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
	for k, v := range a.Attributes {
		if _, taken := at.Get(k); !taken {
			at.PutStr(k, v)
		}
	}
}

// PutIncident writes an incident into an empty log record, as the event auspex.incident.
func PutIncident(lr plog.LogRecord, i *incident.Incident) {
	putHead(lr, EventIncident, i.Updated, i.State)
	at := lr.Attributes()
	at.PutStr(AttrIncidentID, i.ID)
	at.PutStr(AttrIncState, string(i.State))
	putTime(at, AttrIncOpened, i.Opened)
	putTime(at, AttrIncClosed, i.Closed)
	at.PutDouble(MetricMaxScore, i.MaxScore)
	at.PutInt(AttrAnomalyCount, int64(len(i.Anomalies)))
	ranked := at.PutEmptySlice(AttrSuspects)
	for _, s := range i.Suspects {
		ranked.AppendEmpty().SetStr(s.Service)
	}
	if len(i.Suspects) > 0 {
		at.PutStr(AttrSuspect, i.Suspects[0].Service)
		lr.Body().SetStr(fmt.Sprintf("%s: %d series anomalous. First suspect: %s. %s",
			i.Service, len(i.Anomalies), i.Suspects[0].Service, Sentence(&i.Suspects[0].Evidence)))
	}
}

// Sentence says what an anomaly is about, in the unit of the series.
func Sentence(a *incident.Anomaly) string {
	if a.Kind == silence.Kind {
		return fmt.Sprintf("%s %s %s has sent nothing since %s", a.Service, a.Metric, a.Statistic, a.SilentSince.Format(time.RFC3339))
	}
	unit := ""
	if a.Unit != "" && a.Unit != "1" {
		unit = " " + a.Unit
	}
	return fmt.Sprintf("%s %s %s was %s%s, expected %s (%s to %s), since %s", a.Service, a.Metric, a.Statistic,
		short(a.Observed), unit, short(a.Expected), short(a.Lower), short(a.Upper), a.Opened.Format(time.RFC3339))
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

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

// putTime writes a time that there is.
func putTime(at pcommon.Map, name string, t time.Time) {
	if !t.IsZero() {
		at.PutStr(name, t.Format(time.RFC3339Nano))
	}
}
