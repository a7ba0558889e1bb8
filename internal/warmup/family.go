// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package warmup

import (
	"cmp"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/auspex-otel/auspex/internal/promseries"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// family holds the series of one metric.
type family struct {
	kind  promseries.Kind
	name  string   // without the suffixes of parts
	parts []string // names of its series
	// series is the number of series, streams the number of metric streams.
	series  int
	streams map[key]struct{}
}

// batchSeries is the maximum number of series in a batch, unless one family has more.
const batchSeries = 500

// catalog groups series into families.
type catalog struct {
	prometheus *Prometheus
	promseries.Families
}

// families groups the listed series into families, sorted by name. It omits families of which all
// streams are known, because they need no history.
func families(p *Prometheus, list []map[string]string, known map[key]struct{}) []*family {
	c := catalog{p, promseries.NewFamilies()}
	for _, l := range list {
		c.Note(l[model.MetricNameLabel], l[promseries.BucketLabel] != "", l[promseries.QuantileLabel] != "")
	}
	found := map[string]*family{}
	for _, l := range list {
		name := l[model.MetricNameLabel]
		if c.foreign(name) {
			continue
		}
		for _, m := range c.members(name, l) {
			id := string(rune('0'+m.Kind)) + m.Base
			f := found[id]
			if f == nil {
				f = &family{kind: m.Kind, name: m.Base, streams: map[key]struct{}{}}
				found[id] = f
			}
			if !slices.Contains(f.parts, name) {
				f.parts = append(f.parts, name)
			}
			f.series++
			if k := c.key(m, l); !has(known, k) {
				f.streams[k] = struct{}{}
			}
		}
	}
	families := slices.SortedFunc(maps.Values(found), func(x, y *family) int {
		return cmp.Or(strings.Compare(x.name, y.name), cmp.Compare(x.kind, y.kind))
	})
	for _, f := range families {
		slices.Sort(f.parts)
	}
	return slices.DeleteFunc(families, func(f *family) bool { return len(f.streams) == 0 })
}

func has(known map[key]struct{}, k key) bool {
	_, is := known[k]
	return is
}

// foreign reports whether no live stream uses a name: companions of the engine, and metadata
// series.
func (c *catalog) foreign(name string) bool {
	if c.prometheus.Namespace != "" {
		name = strings.TrimPrefix(name, c.prometheus.Namespace+"_")
	}
	return name == otlptranslator.TargetInfoMetricName || vocabulary.OwnMetric(strings.Replace(name, "_", ".", 1))
}

// members returns the roles in which a series is read. If the name does not distinguish counters
// from gauges, these are both, and the live stream decides.
func (c *catalog) members(name string, l map[string]string) []promseries.Member {
	m, is := c.Part(name, l[promseries.BucketLabel] != "", l[promseries.QuantileLabel] != "")
	switch {
	case is:
		return []promseries.Member{m}
	case !c.prometheus.suffixes():
		return []promseries.Member{{Kind: promseries.Value, Base: name}, {Kind: promseries.Rate, Base: name}}
	case strings.HasSuffix(name, promseries.TotalSuffix):
		return []promseries.Member{{Kind: promseries.Rate, Base: name}}
	default:
		return []promseries.Member{{Kind: promseries.Value, Base: name}}
	}
}

// key returns the key of the stream of a series.
func (c *catalog) key(m promseries.Member, l map[string]string) key {
	return keyOf(m.Kind, m.Base, func(yield func(name, value string) bool) {
		for name, value := range l {
			if name != model.MetricNameLabel && !m.Kind.Owns(name) && !slices.Contains(c.prometheus.ReplicaLabels, name) {
				yield(name, value)
			}
		}
	})
}

// batches groups families so that batches have a similar number of series, if possible at most
// batchSeries.
func batches(all []*family) iter.Seq[[]*family] {
	return func(yield func([]*family) bool) {
		first, series := 0, 0
		for i, f := range all {
			if i > first && series+f.series > batchSeries {
				if !yield(all[first:i]) {
					return
				}
				first, series = i, 0
			}
			series += f.series
		}
		if first < len(all) {
			yield(all[first:])
		}
	}
}

// selectors returns the selectors of the series of some families, one per element of match.
func selectors(batch []*family, match []string) ([]string, error) {
	var names []string
	for _, f := range batch {
		for _, part := range f.parts {
			if quoted := regexp.QuoteMeta(part); !slices.Contains(names, quoted) {
				names = append(names, quoted)
			}
		}
	}
	own, err := labels.NewMatcher(labels.MatchRegexp, model.MetricNameLabel, strings.Join(names, "|"))
	if err != nil {
		return nil, err
	}
	if len(match) == 0 {
		return []string{"{" + own.String() + "}"}, nil
	}
	list := make([]string, len(match))
	for i, m := range match {
		matchers, err := selectorParser.ParseMetricSelector(m)
		if err != nil {
			return nil, err
		}
		texts := []string{own.String()}
		for _, matcher := range matchers {
			texts = append(texts, matcher.String())
		}
		list[i] = "{" + strings.Join(texts, ",") + "}"
	}
	return list, nil
}
