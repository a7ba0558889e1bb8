// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"strings"

	prometheustranslator "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/promseries"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// exported is the prefix of attributes whose label is taken, as Prometheus renames labels that a
// target exposes.
const exported = "exported_"

// labeler finds attributes whose label is taken. The translator would overwrite their values,
// write a duplicate label, or omit the point.
type labeler struct {
	namer otlptranslator.LabelNamer
	scope bool // scopes become labels
}

func newLabeler(cfg *Config) labeler {
	utf8 := cfg.TranslationStrategy == utf8WithSuffixes || cfg.TranslationStrategy == noTranslation
	return labeler{
		// The translator names labels so, and deprecated or not, these must be named alike.
		namer: otlptranslator.LabelNamer{UTF8Allowed: utf8, UnderscoreLabelSanitization: !prometheustranslator.DropSanitizationGate.IsEnabled()}, //nolint:staticcheck // see above
		scope: !cfg.DisableScopeInfo,
	}
}

// rename returns metrics in which every attribute has its own label. It copies the metrics only
// if it renames an attribute.
func (l labeler) rename(md pmetric.Metrics) pmetric.Metrics {
	clean := true
	l.walk(md, func(m pcommon.Map, reserved func(string, pcommon.Value) bool) {
		for key, v := range m.All() {
			clean = clean && !reserved(key, v)
		}
	})
	if clean {
		return md
	}
	out := pmetric.NewMetrics()
	md.CopyTo(out)
	l.walk(out, func(m pcommon.Map, reserved func(string, pcommon.Value) bool) {
		renamed := pcommon.NewMap()
		m.RemoveIf(func(key string, v pcommon.Value) bool {
			if !reserved(key, v) {
				return false
			}
			v.CopyTo(renamed.PutEmpty(key))
			return true
		})
		for key, v := range renamed.All() {
			name := exported + key
			for _, taken := m.Get(name); taken; _, taken = m.Get(name) {
				name = exported + name
			}
			v.CopyTo(m.PutEmpty(name))
		}
	})
	return out
}

// walk calls do for the attributes of all resources and points, with a function that reports
// whether the label of an attribute is taken there.
func (l labeler) walk(md pmetric.Metrics, do func(pcommon.Map, func(string, pcommon.Value) bool)) {
	for _, rm := range md.ResourceMetrics().All() {
		p := &place{labeler: l, job: job(rm.Resource().Attributes()), instance: text(rm.Resource().Attributes(), vocabulary.ServiceInstanceID)}
		do(rm.Resource().Attributes(), p.reserved)
		for _, sm := range rm.ScopeMetrics().All() {
			p.scoped = sm.Scope()
			for _, m := range sm.Metrics().All() {
				p.part = partLabel(m.Type())
				eachPoint(m, func(a pcommon.Map) { do(a, p.reserved) })
			}
			p.part, p.scoped = "", pcommon.NewInstrumentationScope()
		}
	}
}

// place holds the other labels of the point or resource with the attributes.
type place struct {
	labeler
	job, instance, part string
	scoped              pcommon.InstrumentationScope
}

// reserved reports whether the label of an attribute is taken or invalid.
func (p *place) reserved(key string, v pcommon.Value) bool {
	if ordinary(key) {
		return false
	}
	name, err := p.namer.Build(key)
	switch {
	case err != nil, name == model.MetricNameLabel:
		return true
	case name == p.part:
		return true
	case name == model.JobLabel:
		return p.job != "" && p.job != v.AsString()
	case name == model.InstanceLabel:
		return p.instance != "" && p.instance != v.AsString()
	default:
		rest, ok := strings.CutPrefix(name, prometheustranslator.ScopeLabelPrefix)
		return ok && p.labeler.scope && p.scopeHas(rest)
	}
}

func (p *place) scopeHas(name string) bool {
	if p.scoped == (pcommon.InstrumentationScope{}) {
		return false
	}
	if name == "name" && p.scoped.Name() != "" || name == "version" && p.scoped.Version() != "" {
		return true
	}
	for key := range p.scoped.Attributes().All() {
		if built, err := p.namer.Build(prometheustranslator.ScopeLabelPrefix + key); err == nil && built == prometheustranslator.ScopeLabelPrefix+name {
			return true
		}
	}
	return false
}

// ordinary reports, without computing the label, that an attribute is not reserved. This is the
// common case.
func ordinary(key string) bool {
	if key == "" || key[0]|0x20 < 'a' || key[0]|0x20 > 'z' {
		return false
	}
	switch key[0] {
	case 'j':
		return key != model.JobLabel
	case 'i':
		return key != model.InstanceLabel
	case 'l':
		return key != promseries.BucketLabel
	case 'q':
		return key != promseries.QuantileLabel
	case 'o':
		return !strings.HasPrefix(key, "otel")
	}
	return true
}

// partLabel returns the label that distinguishes the series of one point.
func partLabel(t pmetric.MetricType) string {
	switch t {
	case pmetric.MetricTypeHistogram:
		return promseries.BucketLabel
	case pmetric.MetricTypeSummary:
		return promseries.QuantileLabel
	default:
		return ""
	}
}

// job returns the job label of a resource.
func job(resource pcommon.Map) string {
	name := text(resource, vocabulary.ServiceName)
	if namespace, ok := resource.Get(vocabulary.ServiceNamespace); ok && name != "" {
		return namespace.AsString() + "/" + name
	}
	return name
}

func text(m pcommon.Map, key string) string {
	v, ok := m.Get(key)
	if !ok {
		return ""
	}
	return v.AsString()
}

// eachPoint calls do for the attributes of every data point of a metric.
func eachPoint(m pmetric.Metric, do func(pcommon.Map)) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for _, dp := range m.Gauge().DataPoints().All() {
			do(dp.Attributes())
		}
	case pmetric.MetricTypeSum:
		for _, dp := range m.Sum().DataPoints().All() {
			do(dp.Attributes())
		}
	case pmetric.MetricTypeHistogram:
		for _, dp := range m.Histogram().DataPoints().All() {
			do(dp.Attributes())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, dp := range m.ExponentialHistogram().DataPoints().All() {
			do(dp.Attributes())
		}
	case pmetric.MetricTypeSummary:
		for _, dp := range m.Summary().DataPoints().All() {
			do(dp.Attributes())
		}
	}
}
