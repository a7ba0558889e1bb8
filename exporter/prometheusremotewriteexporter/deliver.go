// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"context"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/prometheus/otlptranslator"
	prometheusnames "github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// These constants bound the additional requests of a search for the rejected data: a total, and a
// few for each accepted request. A search finds one bad sample in a million, and ends early if
// everything is bad.
const (
	searchRequests = 16
	searchBonus    = 4
	searchMost     = 256
)

// letter holds the items of a request that the server rejected permanently.
type letter struct {
	items  []*item
	status int
	reason string
}

// search is the state of one search.
type search struct {
	left, spent int
	letter      *letter
}

// deliver sends items as one request. If the server rejects the data, it sends halves, because a
// 1.0 Prometheus writes nothing of a request with one out-of-order sample. The letter contains
// the items that remain rejected. An error means that all items must be sent again.
func (w *writer) deliver(ctx context.Context, b *batch, items []*item) (*letter, error) {
	s := search{left: searchRequests}
	err := w.seek(ctx, b, items, &s)
	return s.letter, err
}

func (w *writer) seek(ctx context.Context, b *batch, items []*item, s *search) error {
	v := w.send(ctx, b, items)
	switch v.outcome {
	case accepted:
		s.left += searchBonus
		return nil
	case failed:
		return v.err()
	}
	early, late, ok := halves(w.wire, items)
	if !ok || !v.divisible() {
		s.refuse(items, v)
		return nil
	}
	for _, half := range [][]*item{early, late} {
		if s.left == 0 || s.spent == searchMost {
			s.refuse(half, v)
			continue
		}
		s.left--
		s.spent++
		if err := w.seek(ctx, b, half, s); err != nil {
			return err
		}
	}
	return nil
}

func (s *search) refuse(items []*item, v verdict) {
	if s.letter == nil {
		s.letter = &letter{status: v.status, reason: v.reason}
	}
	s.letter.items = append(s.letter.items, items...)
}

// unsent wraps the error of the request with number failing so that only unsent data is retried.
// Otherwise a server that accepts a few requests per second would never receive the last one of a
// large batch.
func (w *writer) unsent(ctx context.Context, err error, md pmetric.Metrics, parts [][]*item, failing int) error {
	if failing == 0 {
		return err
	}
	sent, open := namesOf(parts[:failing]), namesOf(parts[failing:])
	namer := metricNamer(w.settings)
	done := func(m pmetric.Metric) bool {
		name, errName := namer.Build(prometheusnames.TranslatorMetricFromOtelMetric(m))
		// Only metrics that were sent completely may be omitted.
		return errName == nil && sent.has(name) && !open.has(name)
	}
	finished := without(md, func(m pmetric.Metric) bool { return !done(m) })
	b, errTranslate := w.wire.translate(finished, w.settings)
	w.report(ctx, w.census(finished, b, errTranslate))
	return consumererror.NewMetrics(err, without(md, done))
}

// without returns a copy without the metrics for which drop returns true.
func without(md pmetric.Metrics, drop func(pmetric.Metric) bool) pmetric.Metrics {
	rest := pmetric.NewMetrics()
	md.CopyTo(rest)
	rest.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool {
			sm.Metrics().RemoveIf(drop)
			return sm.Metrics().Len() == 0
		})
		return rm.ScopeMetrics().Len() == 0
	})
	return rest
}

// names is a set of series names.
type names map[string]struct{}

func namesOf(parts [][]*item) names {
	n := names{}
	for _, part := range parts {
		for i := range part {
			n[part[i].name] = struct{}{}
		}
	}
	return n
}

// has reports whether a series of a metric is among the names.
func (n names) has(metric string) bool {
	for _, suffix := range []string{"", "_sum", "_count", "_bucket"} {
		if _, ok := n[metric+suffix]; ok {
			return true
		}
	}
	return false
}

// metricNamer returns the namer of metrics that the translator uses.
func metricNamer(set prometheusremotewrite.Settings) otlptranslator.MetricNamer {
	n := otlptranslator.MetricNamer{Namespace: set.Namespace, WithMetricSuffixes: set.AddMetricSuffixes}
	switch set.TranslationStrategy {
	case escapeWithSuffixes:
		n.WithMetricSuffixes = true
	case escapeWithoutSuffixes:
		n.WithMetricSuffixes = false
	case utf8WithSuffixes:
		n.WithMetricSuffixes, n.UTF8Allowed = true, true
	case noTranslation:
		n.WithMetricSuffixes, n.UTF8Allowed = false, true
	}
	return n
}
