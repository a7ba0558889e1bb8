// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package warmup

import (
	"context"
	"slices"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/resourcetotelemetry"
	prometheustranslator "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheus"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/promseries"
	"github.com/auspex-otel/auspex/internal/series"
)

// key identifies a stream in Prometheus by kind, name, and labels, without the labels of
// replicas, le, and quantile.
type key series.ID

// keyOf returns a key. Labels may come in any order.
func keyOf(k promseries.Kind, name string, each func(yield func(name, value string) bool)) key {
	sum := uint64(0)
	each(func(name, value string) bool {
		sum += uint64(series.Text(name).Join(series.Text(value)))
		return true
	})
	return key(series.Number(uint64(k)).Join(series.Text(name)).Join(series.ID(sum)))
}

// form is a combination of the exporter's settings that determine the labels.
type form struct {
	resource resourcetotelemetry.Settings
	scope    bool
}

// forms lists all combinations, from the most labels to the fewest. With more labels, fewer
// streams can share a series.
var forms = []form{
	{resourcetotelemetry.Settings{Enabled: true}, true},
	{resourcetotelemetry.Settings{Enabled: true}, false},
	{resourcetotelemetry.Settings{Enabled: true, ExcludeServiceAttributes: true}, true},
	{resourcetotelemetry.Settings{Enabled: true, ExcludeServiceAttributes: true}, false},
	{resourcetotelemetry.Settings{}, true},
	{resourcetotelemetry.Settings{}, false},
}

// translator finds the series of a live stream.
type translator struct {
	settings prometheusremotewrite.Settings
	replicas []string
	converts []consumer.Metrics // translates into series, by form
	series   map[string]*prompb.TimeSeries
}

func newTranslator(p *Prometheus) (*translator, error) {
	// This names external labels as the exporter does.
	namer := otlptranslator.LabelNamer{UnderscoreLabelSanitization: !prometheustranslator.DropSanitizationGate.IsEnabled()} //nolint:staticcheck // like the translator
	external := make(map[string]string, len(p.ExternalLabels))
	for name, value := range p.ExternalLabels {
		label, err := namer.Build(name)
		if err != nil {
			return nil, err
		}
		external[label] = value
	}
	t := &translator{replicas: p.ReplicaLabels, settings: prometheusremotewrite.Settings{
		Namespace: p.Namespace, ExternalLabels: external, DisableTargetInfo: true,
		AddMetricSuffixes: p.AddMetricSuffixes, TranslationStrategy: p.TranslationStrategy,
	}}
	for _, f := range forms {
		set := t.settings
		set.DisableScopeInfo = !f.scope
		t.converts = append(t.converts, resourcetotelemetry.WrapMetricsExporter(f.resource, last{write: func(_ context.Context, md pmetric.Metrics) (err error) {
			t.series, err = prometheusremotewrite.FromMetrics(md, set)
			return err
		}}))
	}
	return t, nil
}

// last adapts a function to the exporter that the conversion of resource attributes requires.
type last struct {
	component.StartFunc
	component.ShutdownFunc
	write consumer.ConsumeMetricsFunc
}

func (last) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (l last) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error { return l.write(ctx, md) }

// keys returns the distinct possible keys of a stream, in the order of forms.
func (t *translator) keys(o engine.Origin) []key {
	var list []key
	for _, convert := range t.converts {
		// The conversion modifies its argument.
		if convert.ConsumeMetrics(context.Background(), onePoint(o)) != nil {
			continue
		}
		if k, ok := t.keyOfSeries(o.Metric); ok && !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	return list
}

// keyOfSeries returns the key of the last translation.
func (t *translator) keyOfSeries(m pmetric.Metric) (key, bool) {
	k := kindOf(m)
	for _, ts := range t.series {
		name := ""
		for _, l := range ts.Labels {
			if l.Name == model.MetricNameLabel {
				name = l.Value
			}
		}
		if k == promseries.Histogram || k == promseries.Summary {
			var isCount bool
			if name, isCount = strings.CutSuffix(name, promseries.CountSuffix); !isCount {
				continue
			}
		}
		return keyOf(k, name, func(yield func(name, value string) bool) {
			for _, l := range ts.Labels {
				if l.Name != model.MetricNameLabel && !slices.Contains(t.replicas, l.Name) {
					yield(l.Name, l.Value)
				}
			}
		}), true
	}
	return 0, false
}

func kindOf(m pmetric.Metric) promseries.Kind {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		if m.Sum().IsMonotonic() {
			return promseries.Rate
		}
		return promseries.Value
	case pmetric.MetricTypeHistogram, pmetric.MetricTypeExponentialHistogram:
		return promseries.Histogram
	case pmetric.MetricTypeSummary:
		return promseries.Summary
	default:
		return promseries.Value
	}
}

// onePoint returns a batch with one cumulative data point of a stream. Delta points are converted
// to cumulative ones before they are written, so their history is also cumulative.
func onePoint(o engine.Origin) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	o.Resource.CopyTo(rm.Resource())
	sm := rm.ScopeMetrics().AppendEmpty()
	o.Scope.CopyTo(sm.Scope())
	m := sm.Metrics().AppendEmpty()
	m.SetName(o.Metric.Name())
	m.SetUnit(o.Metric.Unit())
	switch o.Metric.Type() {
	case pmetric.MetricTypeSum:
		s := m.SetEmptySum()
		s.SetIsMonotonic(o.Metric.Sum().IsMonotonic())
		s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		o.Attributes.CopyTo(s.DataPoints().AppendEmpty().Attributes())
	case pmetric.MetricTypeHistogram, pmetric.MetricTypeExponentialHistogram:
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		o.Attributes.CopyTo(h.DataPoints().AppendEmpty().Attributes())
	case pmetric.MetricTypeSummary:
		o.Attributes.CopyTo(m.SetEmptySummary().DataPoints().AppendEmpty().Attributes())
	default:
		o.Attributes.CopyTo(m.SetEmptyGauge().DataPoints().AppendEmpty().Attributes())
	}
	return md
}
