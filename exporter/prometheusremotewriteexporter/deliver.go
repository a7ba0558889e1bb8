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

// The search for what is wrong with a refused request may send so many more
// requests, and a few for each of them that is accepted. It finds one bad sample
// among a million, and gives up soon where everything is bad.
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

// deliver sends items as one request. If the server refuses it because of its
// data, halves of it are sent: a 1.0 Prometheus writes nothing of a request in
// which one sample is out of order. What stays refused is in the letter. An error
// means that all of it is to be sent again.
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

// unsent wraps the error of request number failing so that only what was not
// sent is tried again: else a server that takes a few requests a second would
// never see the last one of a large batch.
func (w *writer) unsent(ctx context.Context, err error, md pmetric.Metrics, parts [][]*item, failing int) error {
	if failing == 0 {
		return err
	}
	sent, open := namesOf(parts[:failing]), namesOf(parts[failing:])
	namer := metricNamer(w.settings)
	done := func(m pmetric.Metric) bool {
		name, errName := namer.Build(prometheusnames.TranslatorMetricFromOtelMetric(m))
		// Only what is known to be sent may go.
		return errName == nil && sent.has(name) && !open.has(name)
	}
	finished := without(md, func(m pmetric.Metric) bool { return !done(m) })
	b, errTranslate := w.wire.translate(finished, w.settings)
	w.report(ctx, w.census(finished, b, errTranslate))
	return consumererror.NewMetrics(err, without(md, done))
}

// without returns a copy that lacks some metrics.
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

// names are the names of series.
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

// has tells whether one of the series that a metric becomes is among the names.
func (n names) has(metric string) bool {
	for _, suffix := range []string{"", "_sum", "_count", "_bucket"} {
		if _, ok := n[metric+suffix]; ok {
			return true
		}
	}
	return false
}

// metricNamer names metrics as the translator does.
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
