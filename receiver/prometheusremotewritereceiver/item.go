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

// item is a series with its parsed labels.
type item struct {
	*promwrite.Series
	name, job, instance string
	le, quantile        string
	scoped              bool // it has scope labels
	late                bool // it describes a target whose samples were passed on without this description
	meta                promwrite.Metadata
}

// newItem parses the labels that do not become attributes.
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

// isAttribute reports whether a label becomes an attribute of the data point. part is the label
// that distinguishes parts.
func (it *item) isAttribute(label, part string) bool {
	switch label {
	case promwrite.NameLabel, model.JobLabel, model.InstanceLabel, model.MetricTypeLabel, model.MetricUnitLabel, part:
		return false
	}
	return !it.scoped || !strings.HasPrefix(label, prometheustranslator.ScopeLabelPrefix)
}

// identity returns the identity of the stream of a series, with the given name and without the
// label part.
func (it *item) identity(name, part string) series.ID {
	id := series.Text(name)
	for i := range it.Labels {
		if l := &it.Labels[i]; l.Name != promwrite.NameLabel && l.Name != part {
			id = id.Join(series.Text(l.Name)).Join(series.Text(l.Value))
		}
	}
	return id
}

// form is the data type that a series becomes.
type form uint8

const (
	formGauge form = iota
	formCounter
	formUpDown    // a sum that is not monotonic: a state
	formPart      // of a classic histogram or a summary
	formHistogram // native, exponential
	formBounds    // native, with listed bounds
	formSummary
	formTarget // describes the resource
)

// formOf returns the form by type, and by name if the type is unknown: names with _total are
// counters, families with buckets are histograms.
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

// mayBe reports whether the type permits a kind. An unknown type permits all.
func (it *item) mayBe(k promseries.Kind) bool {
	switch it.meta.Type {
	case promwrite.TypeHistogram:
		return k == promseries.Histogram
	case promwrite.TypeSummary:
		return k == promseries.Summary
	}
	return true
}

// base returns the family name of a part, without its suffix.
func base(name string) (string, bool) {
	for _, suffix := range [...]string{promseries.BucketSuffix, promseries.SumSuffix, promseries.CountSuffix} {
		if b, ok := strings.CutSuffix(name, suffix); ok {
			return b, true
		}
	}
	return name, false
}
