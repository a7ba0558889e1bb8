// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"strings"

	prometheustranslator "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheus"
	"github.com/prometheus/common/model"

	"github.com/auspex-otel/auspex/internal/promseries"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/wire/promwrite"
)

// item is a series with what its labels say.
type item struct {
	*promwrite.Series
	name, job, instance string
	le, quantile        string
	scoped              bool // it has labels of a scope
	late                bool // it describes a target whose samples were passed on without it
	meta                promwrite.Metadata
}

// newItem reads the labels that become something else than attributes.
func newItem(s *promwrite.Series) item {
	it := item{Series: s, meta: s.Metadata}
	for i := range s.Labels {
		switch l := &s.Labels[i]; l.Name {
		case promwrite.NameLabel:
			it.name = l.Value
		case model.JobLabel:
			it.job = l.Value
		case model.InstanceLabel:
			it.instance = l.Value
		case promseries.BucketLabel:
			it.le = l.Value
		case promseries.QuantileLabel:
			it.quantile = l.Value
		case model.MetricTypeLabel:
			if it.meta.Type == promwrite.TypeUnknown {
				it.meta.Type = promwrite.ParseType(l.Value)
			}
		case model.MetricUnitLabel:
			if it.meta.Unit == "" {
				it.meta.Unit = l.Value
			}
		default:
			it.scoped = it.scoped || strings.HasPrefix(l.Name, prometheustranslator.ScopeLabelPrefix)
		}
	}
	return it
}

// isAttribute tells whether a label becomes an attribute of the data point. part is the label that tells parts apart.
func (it *item) isAttribute(label, part string) bool {
	switch label {
	case promwrite.NameLabel, model.JobLabel, model.InstanceLabel, model.MetricTypeLabel, model.MetricUnitLabel, part:
		return false
	}
	return !it.scoped || !strings.HasPrefix(label, prometheustranslator.ScopeLabelPrefix)
}

// identity is that of the stream that a series belongs to: of what name, and without the label that tells parts apart.
func (it *item) identity(name, part string) series.ID {
	id := series.Text(name)
	for i := range it.Labels {
		if l := &it.Labels[i]; l.Name != promwrite.NameLabel && l.Name != part {
			id = id.Join(series.Text(l.Name)).Join(series.Text(l.Value))
		}
	}
	return id
}

// form is what a series becomes.
type form uint8

const (
	formGauge form = iota
	formCounter
	formUpDown    // a sum that may fall: what tells a state
	formPart      // of a classic histogram or a summary
	formHistogram // native, exponential
	formBounds    // native, with listed bounds
	formSummary
	formTarget // describes the resource
)

// formOf decides by type, and where none is known by name: what is called
// _total is a counter, as what has buckets is a histogram.
func (it *item) formOf(families promseries.Families) (form, promseries.Member) {
	if it.name == prometheustranslator.TargetInfoMetricName {
		return formTarget, promseries.Member{}
	}
	switch it.meta.Type {
	case promwrite.TypeCounter:
		return formCounter, promseries.Member{}
	case promwrite.TypeInfo, promwrite.TypeStateSet:
		return formUpDown, promseries.Member{}
	case promwrite.TypeGauge, promwrite.TypeGaugeHistogram:
		return formGauge, promseries.Member{}
	}
	if m, is := families.Part(it.name, it.le != "", it.quantile != ""); is && it.mayBe(m.Kind) {
		return formPart, m
	}
	if it.meta.Type == promwrite.TypeUnknown && strings.HasSuffix(it.name, promseries.TotalSuffix) {
		return formCounter, promseries.Member{}
	}
	return formGauge, promseries.Member{}
}

// mayBe tells whether the type that is known, if one is, allows for a kind.
func (it *item) mayBe(k promseries.Kind) bool {
	switch it.meta.Type {
	case promwrite.TypeHistogram:
		return k == promseries.Histogram
	case promwrite.TypeSummary:
		return k == promseries.Summary
	}
	return true
}

// base is the name of the family of a part, by its suffix.
func base(name string) (string, bool) {
	for _, suffix := range [...]string{promseries.BucketSuffix, promseries.SumSuffix, promseries.CountSuffix} {
		if b, ok := strings.CutSuffix(name, suffix); ok {
			return b, true
		}
	}
	return name, false
}
