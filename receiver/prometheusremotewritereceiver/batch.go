// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"strings"

	prometheustranslator "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheus"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/promseries"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// mostBytes bounds a remembered target, family, or exemplar, in bytes. A larger one applies to
// its own request only.
const mostBytes = 16 << 10

// batch builds the metrics of a request and finds the place of each data point.
type batch struct {
	md        pmetric.Metrics
	targets   *cache[target, described]
	resources map[target]*resource
	last      place
	lastAt    pmetric.Metric
	lastIn    *resource
}

type resource struct {
	pmetric.ResourceMetrics
	scopes  map[string]pmetric.ScopeMetrics
	metrics map[place]pmetric.Metric
}

// place identifies a metric within a target.
type place struct {
	target target
	scope  string
	name   string
	form   form
}

func newBatch(t *translator) *batch {
	return &batch{md: pmetric.NewMetrics(), targets: t.targets, resources: map[target]*resource{}}
}

// metric returns the metric of an item, and creates it if necessary. It tries the last place
// first, because series of one metric usually follow each other.
func (b *batch) metric(it *item, name string, f form) pmetric.Metric {
	p := place{target{it.job, it.instance}, "", name, f}
	if it.scoped {
		p.scope = it.scope()
	}
	if p == b.last && b.lastIn != nil {
		return b.lastAt
	}
	r := b.lastIn
	if r == nil || b.last.target != p.target {
		r = b.resource(p.target, it.latest())
	}
	m, ok := r.metrics[p]
	if !ok {
		m = r.scope(it, p.scope).Metrics().AppendEmpty()
		define(m, it, name, f)
		r.metrics[p] = m
	}
	b.last, b.lastAt, b.lastIn = p, m, r
	return m
}

func (b *batch) resource(k target, now int64) *resource {
	if r := b.resources[k]; r != nil {
		return r
	}
	r := &resource{b.md.ResourceMetrics().AppendEmpty(), map[string]pmetric.ScopeMetrics{}, map[place]pmetric.Metric{}}
	b.resources[k] = r
	attrs := r.Resource().Attributes()
	for _, l := range b.describe(k, now) {
		attrs.PutStr(l.Name, l.Value)
	}
	// Exporters write a job as namespace and name, in two parts.
	name := k.job
	if namespace, rest, two := strings.Cut(k.job, "/"); two && namespace != "" && rest != "" && !strings.Contains(rest, "/") {
		attrs.PutStr(vocabulary.ServiceNamespace, namespace)
		name = rest
	}
	if name != "" {
		attrs.PutStr(vocabulary.ServiceName, name)
	}
	if k.instance != "" {
		attrs.PutStr(vocabulary.ServiceInstanceID, k.instance)
	}
	return r
}

// scope returns a text that identifies the scope.
func (it *item) scope() string {
	var text strings.Builder
	for _, l := range it.Labels {
		if strings.HasPrefix(l.Name, prometheustranslator.ScopeLabelPrefix) {
			text.WriteString(l.Name + "\x00" + l.Value + "\x00")
		}
	}
	return text.String()
}

func (r *resource) scope(it *item, key string) pmetric.ScopeMetrics {
	sm, ok := r.scopes[key]
	if ok {
		return sm
	}
	sm = r.ScopeMetrics().AppendEmpty()
	r.scopes[key] = sm
	if key == "" {
		return sm // A scope name would become a label on every series that is written to Prometheus.
	}
	for _, l := range it.Labels {
		switch name, ok := strings.CutPrefix(l.Name, prometheustranslator.ScopeLabelPrefix); {
		case !ok:
		case l.Name == prometheustranslator.ScopeNameLabelKey:
			sm.Scope().SetName(l.Value)
		case l.Name == prometheustranslator.ScopeVersionLabelKey:
			sm.Scope().SetVersion(l.Value)
		case l.Name == prometheustranslator.ScopeSchemaURLLabelKey:
			sm.SetSchemaUrl(l.Value)
		default:
			sm.Scope().Attributes().PutStr(name, l.Value)
		}
	}
	return sm
}

// define sets the name, description, unit, and type of a metric.
func define(m pmetric.Metric, it *item, name string, f form) {
	m.SetName(name)
	m.SetDescription(it.meta.Help)
	if it.meta.Unit != "" {
		m.SetUnit(prometheustranslator.UnitWordToUCUM(it.meta.Unit))
	}
	m.Metadata().PutStr(prometheustranslator.MetricMetadataTypeKey, string(model.MetricType(it.meta.Type.String())))
	const cumulative = pmetric.AggregationTemporalityCumulative
	switch f {
	case formCounter, formUpDown:
		m.SetEmptySum().SetAggregationTemporality(cumulative)
		m.Sum().SetIsMonotonic(f == formCounter)
	case formPart, formBounds:
		m.SetEmptyHistogram().SetAggregationTemporality(cumulative)
	case formHistogram:
		m.SetEmptyExponentialHistogram().SetAggregationTemporality(cumulative)
	case formSummary:
		m.SetEmptySummary()
	default:
		m.SetEmptyGauge()
	}
}

// attributes copies the labels that become attributes. part is the label that distinguishes
// parts.
func (it *item) attributes(to pcommon.Map, part string) {
	to.EnsureCapacity(len(it.Labels))
	for i := range it.Labels {
		if l := &it.Labels[i]; it.isAttribute(l.Name, part) {
			to.PutStr(l.Name, l.Value)
		}
	}
}

func trimTotal(name string) string { return strings.TrimSuffix(name, promseries.TotalSuffix) }
