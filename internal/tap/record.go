// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package tap

import (
	"encoding/hex"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/mask"
)

const (
	// maxText bounds one text of a record, in bytes. It is cut after secrets were hidden.
	maxText = 2 << 10
	// maxRead bounds how much of a value is read to find secrets.
	maxRead = 16 << 10
	// maxAttributes bounds the attributes of a record, and of its resource.
	maxAttributes = 64
	// maxDepth bounds nested values.
	maxDepth = 6
)

// Record is one log record, data point, or span as text, without secrets.
type Record struct {
	Time time.Time `json:"time,omitzero"`
	// Name is the severity or event name of a log record, the name of a metric, or the name of a span.
	Name string `json:"name"`
	// Text is the body of a log record, the value of a data point, or the kind, duration, and status of a span.
	Text       string            `json:"text"`
	TraceID    string            `json:"trace_id,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Resource   map[string]string `json:"resource,omitempty"`
}

// size returns about how many bytes the record takes as JSON.
func (r *Record) size() int {
	n := 64 + len(r.Name) + len(r.Text) + len(r.TraceID)
	for _, m := range [...]map[string]string{r.Attributes, r.Resource} {
		for k, v := range m {
			n += len(k) + len(v) + 6
		}
	}
	return n
}

// Logs offers the records of a batch to the open taps.
func (p *Point) Logs(ld plog.Logs) {
	if p.idle() {
		return
	}
	p.offer(func(m *mask.Masker, take func(Record) bool) {
		for _, rl := range ld.ResourceLogs().All() {
			resource := attributes(m, rl.Resource().Attributes())
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					if !take(logRecord(m, lr, resource)) {
						return
					}
				}
			}
		}
	})
}

func logRecord(m *mask.Masker, lr plog.LogRecord, resource map[string]string) Record {
	name := lr.EventName()
	if name == "" {
		name = lr.SeverityText()
	}
	if name == "" {
		name = lr.SeverityNumber().String()
	}
	at := lr.Timestamp()
	if at == 0 {
		at = lr.ObservedTimestamp()
	}
	return Record{timeOf(at), masked(m, name), value(m, "", lr.Body()), traceID(lr.TraceID()), attributes(m, lr.Attributes()), resource}
}

// Traces offers the spans of a batch to the open taps.
func (p *Point) Traces(td ptrace.Traces) {
	if p.idle() {
		return
	}
	p.offer(func(m *mask.Masker, take func(Record) bool) {
		for _, rs := range td.ResourceSpans().All() {
			resource := attributes(m, rs.Resource().Attributes())
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					if !take(span(m, s, resource)) {
						return
					}
				}
			}
		}
	})
}

func span(m *mask.Masker, s ptrace.Span, resource map[string]string) Record {
	took := time.Duration(s.EndTimestamp()) - time.Duration(s.StartTimestamp())
	text := fmt.Sprintf("%s, %v, status %s", strings.ToLower(s.Kind().String()), took, strings.ToLower(s.Status().Code().String()))
	if message := s.Status().Message(); message != "" {
		text += ": " + masked(m, message)
	}
	return Record{timeOf(s.StartTimestamp()), masked(m, s.Name()), text, traceID(s.TraceID()), attributes(m, s.Attributes()), resource}
}

// Metrics offers the data points of a batch to the open taps.
func (p *Point) Metrics(md pmetric.Metrics) {
	if p.idle() {
		return
	}
	p.offer(func(m *mask.Masker, take func(Record) bool) {
		for _, rm := range md.ResourceMetrics().All() {
			resource := attributes(m, rm.Resource().Attributes())
			for _, sm := range rm.ScopeMetrics().All() {
				for _, metric := range sm.Metrics().All() {
					if !points(metric, func(at pcommon.Timestamp, text string, a pcommon.Map) bool {
						if unit := metric.Unit(); unit != "" {
							text += " " + masked(m, unit)
						}
						return take(Record{timeOf(at), masked(m, metric.Name()), text, "", attributes(m, a), resource})
					}) {
						return
					}
				}
			}
		}
	})
}

// points calls yield with each data point of a metric until it returns false, and reports whether it never did.
func points(m pmetric.Metric, yield func(pcommon.Timestamp, string, pcommon.Map) bool) bool {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return numbers(m.Gauge().DataPoints(), yield)
	case pmetric.MetricTypeSum:
		return numbers(m.Sum().DataPoints(), yield)
	case pmetric.MetricTypeHistogram:
		return distributions(m.Histogram().DataPoints().All(), yield)
	case pmetric.MetricTypeExponentialHistogram:
		return distributions(m.ExponentialHistogram().DataPoints().All(), yield)
	case pmetric.MetricTypeSummary:
		return distributions(m.Summary().DataPoints().All(), yield)
	}
	return true
}

func numbers(list pmetric.NumberDataPointSlice, yield func(pcommon.Timestamp, string, pcommon.Map) bool) bool {
	for _, dp := range list.All() {
		text := "no recorded value"
		switch dp.ValueType() {
		case pmetric.NumberDataPointValueTypeInt:
			text = strconv.FormatInt(dp.IntValue(), 10)
		case pmetric.NumberDataPointValueTypeDouble:
			text = number(dp.DoubleValue())
		}
		if !yield(dp.Timestamp(), text, dp.Attributes()) {
			return false
		}
	}
	return true
}

// distribution is a data point of a histogram, an exponential histogram, or a summary.
type distribution interface {
	Timestamp() pcommon.Timestamp
	Count() uint64
	Sum() float64
	Attributes() pcommon.Map
}

func distributions[P distribution](list iter.Seq2[int, P], yield func(pcommon.Timestamp, string, pcommon.Map) bool) bool {
	for _, dp := range list {
		if !yield(dp.Timestamp(), "count "+strconv.FormatUint(dp.Count(), 10)+", sum "+number(dp.Sum()), dp.Attributes()) {
			return false
		}
	}
	return true
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func timeOf(t pcommon.Timestamp) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.AsTime()
}

func traceID(id pcommon.TraceID) string {
	if id.IsEmpty() {
		return ""
	}
	return hex.EncodeToString(id[:])
}

func attributes(m *mask.Masker, a pcommon.Map) map[string]string {
	out := make(map[string]string, min(a.Len(), maxAttributes))
	for k, v := range a.All() {
		if len(out) == maxAttributes {
			break
		}
		out[masked(m, k)] = value(m, k, v)
	}
	return out
}

// value renders a value whose attribute has the given name; "" for a body.
func value(m *mask.Masker, name string, v pcommon.Value) string {
	return cut(hide(m, name, v, maxDepth))
}

// hide renders a value, at most a little more than maxRead bytes, without secrets.
func hide(m *mask.Masker, name string, v pcommon.Value, depth int) string {
	var b strings.Builder
	switch v.Type() {
	case pcommon.ValueTypeMap, pcommon.ValueTypeSlice:
		if depth == 0 {
			return "…"
		}
	case pcommon.ValueTypeBytes:
		return strconv.Itoa(v.Bytes().Len()) + " bytes"
	case pcommon.ValueTypeStr:
		s := v.Str()
		return m.Value(name, s[:min(len(s), maxRead)])
	default:
		return m.Value(name, v.AsString())
	}
	separator := ""
	if v.Type() == pcommon.ValueTypeMap {
		b.WriteByte('{')
		for k, x := range v.Map().All() {
			b.WriteString(separator + masked(m, k) + ": " + hide(m, k, x, depth-1))
			if separator = ", "; b.Len() > maxRead {
				break
			}
		}
		b.WriteByte('}')
		return m.Mask(b.String())
	}
	b.WriteByte('[')
	for _, x := range v.Slice().All() {
		b.WriteString(separator + hide(m, name, x, depth-1))
		if separator = ", "; b.Len() > maxRead {
			break
		}
	}
	b.WriteByte(']')
	return m.Mask(b.String()) // a list of arguments may name a secret in one and have it in the next
}

// masked returns a text without secrets, cut to maxText.
func masked(m *mask.Masker, s string) string { return cut(m.Mask(s[:min(len(s), maxRead)])) }

// cut returns at most maxText bytes of valid UTF-8, with a mark where text was cut.
func cut(s string) string {
	if len(s) > maxText {
		n := maxText
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
