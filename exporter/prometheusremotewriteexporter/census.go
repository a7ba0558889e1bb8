// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/otlptranslator"
	prometheusnames "github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/multierr"

	"github.com/auspex-otel/auspex/internal/datapoints"
)

// Reasons why remote write cannot represent a point.
const (
	deltaTemporality   = "delta_temporality"
	noTemporality      = "no_temporality"
	noType             = "no_type"
	invalidName        = "invalid_name"
	noTimestamp        = "no_timestamp"
	scaleTooLow        = "scale_too_low"
	invalidLabel       = "invalid_label"
	duplicateTimestamp = "duplicate_timestamp"
	otherReason        = "other"
)

// advice maps reasons to the text for the log.
var advice = map[string]string{
	deltaTemporality:   "Prometheus supports cumulative values only: put the processor delta_to_cumulative into the pipeline.",
	noTemporality:      "The metric does not say whether its values are cumulative.",
	noType:             "The metric has no data.",
	invalidName:        "The metric's name cannot be converted to a Prometheus name.",
	noTimestamp:        "The point has no time.",
	scaleTooLow:        "Native histograms support no scale below -4.",
	invalidLabel:       "A label is not valid UTF-8, has no name, or is duplicated.",
	duplicateTimestamp: "Two points of one series have the same time and different values. If they come from two resources, enable resource_to_telemetry_conversion to distinguish them.",
	otherReason:        "The translation failed.",
}

// minScale is the lowest scale of a native histogram.
const minScale = -4

// tally counts points, or their samples, by reason.
type tally struct {
	counts map[string]int
	errors int    // errors of the translator for them
	detail string // text of an error that the counts do not explain
}

func (t *tally) add(reason string, n int) {
	if n == 0 {
		return
	}
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	t.counts[reason] += n
}

// census counts the points of processed metrics that could not be translated. A point counts
// once, regardless of the number of tries.
func (w *writer) census(md pmetric.Metrics, b *batch, errTranslate error) tally {
	t := &tally{}
	namer := metricNamer(w.settings)
	_, v1 := w.wire.(wireV1)
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				t.metric(m, &namer, v1)
			}
		}
	}
	t.add(invalidLabel, b.invalid)
	t.add(duplicateTimestamp, collisions(b.items))
	if errs := multierr.Errors(errTranslate); len(errs) > t.errors {
		t.add(otherReason, len(errs)-t.errors)
		t.detail = errs[len(errs)-1].Error()
	}
	return *t
}

func (t *tally) metric(m pmetric.Metric, namer *otlptranslator.MetricNamer, v1 bool) {
	points := datapoints.Count(m)
	if m.Type() == pmetric.MetricTypeEmpty {
		t.whole(noType, 1)
	} else if reason := temporality(m); reason != "" {
		t.whole(reason, points)
	} else if _, err := namer.Build(prometheusnames.TranslatorMetricFromOtelMetric(m)); err != nil {
		t.whole(invalidName, points)
	} else if points > 0 {
		t.points(m)
	} else if v1 {
		t.errors++ // no point is lost, but the translator returns an error
	}
}

// whole counts a metric of which no point could be translated, for which there is one error.
func (t *tally) whole(reason string, points int) {
	t.add(reason, points)
	t.errors++
}

func temporality(m pmetric.Metric) string {
	var at pmetric.AggregationTemporality
	switch m.Type() {
	case pmetric.MetricTypeSum:
		at = m.Sum().AggregationTemporality()
	case pmetric.MetricTypeHistogram:
		at = m.Histogram().AggregationTemporality()
	case pmetric.MetricTypeExponentialHistogram:
		at = m.ExponentialHistogram().AggregationTemporality()
	default:
		return ""
	}
	switch at {
	case pmetric.AggregationTemporalityCumulative:
		return ""
	case pmetric.AggregationTemporalityDelta:
		return deltaTemporality
	default:
		return noTemporality
	}
}

// points counts single points that could not be translated.
func (t *tally) points(m pmetric.Metric) {
	early := 0
	stamp := func(ts pcommon.Timestamp) {
		if ts < pcommon.Timestamp(time.Millisecond) {
			early++
		}
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		each(m.Gauge().DataPoints(), stamp)
	case pmetric.MetricTypeSum:
		each(m.Sum().DataPoints(), stamp)
	case pmetric.MetricTypeHistogram:
		each(m.Histogram().DataPoints(), stamp)
	case pmetric.MetricTypeSummary:
		each(m.Summary().DataPoints(), stamp)
	case pmetric.MetricTypeExponentialHistogram:
		for _, dp := range m.ExponentialHistogram().DataPoints().All() {
			if dp.Scale() < minScale {
				t.whole(scaleTooLow, 1)
			} else {
				stamp(dp.Timestamp())
			}
		}
	}
	t.add(noTimestamp, early)
}

// each calls f with the time of every point of a slice.
func each[P interface{ Timestamp() pcommon.Timestamp }](points interface {
	Len() int
	At(i int) P
}, f func(pcommon.Timestamp),
) {
	for i := range points.Len() {
		f(points.At(i).Timestamp())
	}
}

// report counts a tally and logs it.
func (w *writer) report(ctx context.Context, t tally) {
	for reason, n := range t.counts {
		w.telemetry.ExporterPrometheusRemoteWriteUntranslatedPoints.Add(ctx, int64(n), w.attributes("reason", reason))
		text := fmt.Sprintf("Points could not be written, reason %s. %s", reason, advice[reason])
		if reason == otherReason {
			text += " " + t.detail
		}
		w.log.Warn(reason, n, text)
	}
}

// attributes returns the attributes of the exporter's own telemetry: its id, and one more pair.
func (w *writer) attributes(pair ...string) metric.AddOption {
	kv := []attribute.KeyValue{attribute.String("exporter", w.set.ID.String())}
	if len(pair) == 2 {
		kv = append(kv, attribute.String(pair[0], pair[1]))
	}
	return metric.WithAttributes(kv...)
}
