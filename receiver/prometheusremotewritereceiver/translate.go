// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pmetric"

	prometheustranslator "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheus"

	"github.com/auspex-otel/auspex/internal/promseries"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/wire/promwrite"
)

// translator converts requests to data points. It remembers, up to the capacity of its caches,
// data of earlier requests that later requests omit.
type translator struct {
	families         *cache[string, promwrite.Metadata]
	targets          *cache[target, described]
	shapes           *cache[series.ID, shape]
	exemplars        *cache[series.ID, []promwrite.Exemplar]
	droppedExemplars atomic.Int64
}

func newTranslator(remembered int) *translator {
	t := &translator{
		families: newCache[string, promwrite.Metadata](remembered, nil),
		targets:  newCache[target, described](remembered, nil),
		shapes:   newCache[series.ID, shape](remembered, nil),
	}
	t.exemplars = newCache[series.ID](remembered, func(list []promwrite.Exemplar) { t.droppedExemplars.Add(int64(len(list))) })
	return t
}

// translate converts a request. The caller must call settle with the result of the pipeline.
func (t *translator) translate(g *reading) *writing {
	w := &writing{translator: t, reading: g, batch: newBatch(t), families: promseries.NewFamilies(), exemplary: !t.exemplars.empty()}
	t.learn(g)
	items := make([]item, len(g.series))
	for i := range g.series {
		it := newItem(&g.series[i])
		w.describe(&it)
		w.note(&it)
		items[i] = it
	}
	for i := range items {
		w.write(&items[i])
	}
	for _, s := range w.streams {
		w.writeStream(s)
	}
	w.attachLate()
	return w
}

// learn remembers the metadata of families in version 1.
func (t *translator) learn(g *reading) {
	for _, m := range g.metadata {
		if m.Family != "" && len(m.Family)+len(m.Unit)+len(m.Help) <= mostBytes {
			t.families.put(m.Family, promwrite.Metadata{Type: m.Type, Help: m.Help, Unit: m.Unit})
		}
	}
}

// writing is the translation of one request.
type writing struct {
	*translator
	reading  *reading
	batch    *batch
	families promseries.Families
	streams  []*stream
	byID     map[series.ID]*stream

	waiting   map[series.ID][]promwrite.Exemplar // of this request
	last      map[series.ID]pmetric.ExemplarSlice
	taken     map[series.ID][]promwrite.Exemplar // of earlier requests
	exemplary bool                               // the request or earlier ones have exemplars

	lastFamily string // cached, because series of a family follow each other
	lastMeta   promwrite.Metadata
}

// describe adds the metadata that earlier requests gave for a family.
func (w *writing) describe(it *item) {
	if it.meta.Type != promwrite.TypeUnknown {
		return
	}
	if w.lastFamily != it.name {
		w.lastFamily, w.lastMeta = it.name, w.known(it.name)
	}
	if known := w.lastMeta; known.Type != promwrite.TypeUnknown {
		if it.meta.Unit == "" {
			it.meta.Unit = known.Unit
		}
		it.meta.Type, it.meta.Help = known.Type, known.Help
	}
}

func (w *writing) known(name string) promwrite.Metadata {
	if m, ok := w.translator.families.get(name); ok {
		return m
	}
	b, part := base(name)
	if !part {
		b = trimTotal(name)
	}
	if b == name {
		return promwrite.Metadata{}
	}
	m, _ := w.translator.families.get(b)
	if part && m.Type != promwrite.TypeHistogram && m.Type != promwrite.TypeSummary {
		return promwrite.Metadata{} // another family with a similar name
	}
	return m
}

// note records the data that other series of the request need before they are written.
func (w *writing) note(it *item) {
	if it.name == prometheustranslator.TargetInfoMetricName {
		w.noteTarget(it)
		return
	}
	w.families.Note(it.name, it.le != "", it.quantile != "")
	if it.meta.Type == promwrite.TypeSummary {
		if b, part := base(it.name); part {
			w.families.Summaries[b] = true // a summary may have no quantiles
		}
	}
	w.noteExemplars(it)
}

// write writes a series, or adds it to its stream.
func (w *writing) write(it *item) {
	for i := range it.Histograms {
		w.native(it, &it.Histograms[i])
	}
	if len(it.Samples) == 0 {
		return
	}
	f, m := it.formOf(w.families)
	switch f {
	case formTarget:
		if !it.late {
			return // it has become attributes of the resource
		}
		f = formUpDown
	case formPart:
		if w.addPart(it, m) {
			return
		}
		f = formGauge
	}
	for i := range it.Samples {
		w.number(it, f, &it.Samples[i])
	}
}

// number writes a sample without conversion.
func (w *writing) number(it *item, f form, s *promwrite.Sample) {
	var dps pmetric.NumberDataPointSlice
	if m := w.batch.metric(it, it.name, f); f == formGauge {
		dps = m.Gauge().DataPoints()
	} else {
		dps = m.Sum().DataPoints()
	}
	dp := dps.AppendEmpty()
	dp.SetTimestamp(promseries.Stamp(s.Time))
	if s.Start > 0 && f == formCounter {
		dp.SetStartTimestamp(promseries.Stamp(s.Start))
	}
	if promwrite.IsStale(s.Value) {
		dp.SetFlags(ended)
	} else {
		dp.SetDoubleValue(s.Value)
	}
	it.attributes(dp.Attributes(), "")
	if w.exemplary {
		w.attach(it.identity(it.name, ""), dp.Exemplars(), s.Time)
	}
}

var ended = pmetric.DefaultDataPointFlags.WithNoRecordedValue(true)
