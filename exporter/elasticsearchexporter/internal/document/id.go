// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// longest is the maximum size of an id in Elasticsearch, in bytes.
const longest = 512

// fit returns an id for a text: the text itself if possible, else its hash.
func fit(text string) string {
	if len(text) <= longest {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// given returns the id in the attribute elasticsearch.document_id if heed is true, else "".
func given(heed bool, attributes pcommon.Map) string {
	if !heed {
		return ""
	}
	return fit(attribute(attributes, attrID))
}

func attribute(m pcommon.Map, key string) string {
	if v, ok := m.Get(key); ok {
		return v.AsString()
	}
	return ""
}

// logID returns the id of a record, or "" if it has none. Elasticsearch then generates one.
func (e *Encoder) logID(lr plog.LogRecord) string {
	if id := given(e.LogsDynamicID, lr.Attributes()); id != "" {
		return id
	}
	if id := anomalyID(lr); id != "" {
		return id
	}
	return fit(attribute(lr.Attributes(), vocabulary.RecordUID))
}

// anomalyID derives the id from the anomaly, its state, and the event time of the update. An
// event that is sent again has the same id, another update has another.
func anomalyID(lr plog.LogRecord) string {
	if lr.EventName() != vocabulary.EventAnomaly {
		return ""
	}
	id := attribute(lr.Attributes(), vocabulary.AttrAnomalyID)
	if id == "" {
		return ""
	}
	return fit(id + "-" + strconv.FormatUint(uint64(lr.Timestamp()), 10) + "-" + attribute(lr.Attributes(), vocabulary.AttrState))
}

// spanID joins trace id, span id, and kind, because client and server spans of Zipkin may share
// the first two. It returns "" for a span without ids.
func (e *Encoder) spanID(sp ptrace.Span) string {
	if id := given(e.TracesDynamicID, sp.Attributes()); id != "" {
		return id
	}
	if sp.TraceID().IsEmpty() || sp.SpanID().IsEmpty() {
		return ""
	}
	return hexTrace(sp.TraceID()) + hexSpan(sp.SpanID()) + "-" + strconv.Itoa(int(sp.Kind()))
}

// eventID returns the id of the nth event of a span.
func eventID(span string, n int) string {
	if span == "" {
		return ""
	}
	return span + "-" + strconv.Itoa(n)
}

// pointID returns the hash of the point's series, time, and start time. Two series share an id
// only if their hashes are equal; package series states the probability.
func pointID(identity series.ID, attributes pcommon.Map, t, start pcommon.Timestamp) string {
	return identity.Join(series.Attributes(attributes)).String() + "-" + strconv.FormatUint(uint64(t), 36) + "-" + strconv.FormatUint(uint64(start), 36)
}

// metricIdentity returns the common identity of all data points of one metric of a scope and
// resource.
func (s *scope) metricIdentity(m pmetric.Metric) series.ID {
	id := s.identity.Join(series.Text(m.Name())).Join(series.Text(m.Unit())).Join(series.Text(m.Type().String()))
	switch m.Type() {
	case pmetric.MetricTypeSum:
		id = id.Join(series.Text(m.Sum().AggregationTemporality().String()))
	case pmetric.MetricTypeHistogram:
		id = id.Join(series.Text(m.Histogram().AggregationTemporality().String()))
	case pmetric.MetricTypeExponentialHistogram:
		id = id.Join(series.Text(m.ExponentialHistogram().AggregationTemporality().String()))
	}
	return id
}

func hexTrace(id pcommon.TraceID) string { return hex.EncodeToString(id[:]) }
func hexSpan(id pcommon.SpanID) string   { return hex.EncodeToString(id[:]) }
