// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"encoding/hex"

	prometheustranslator "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheus"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/promseries"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/wire/promwrite"
)

// mostExemplars bounds the exemplars of one stream that wait for its next point.
const mostExemplars = 16

// noteExemplars stores the exemplars of a series under the stream of their points. Exemplars of a
// bucket belong to the histogram. They arrive in separate series.
func (w *writing) noteExemplars(it *item) {
	if len(it.Exemplars) == 0 {
		return
	}
	id := it.identity(it.name, "")
	if b, part := base(it.name); part && it.le != "" {
		id = it.identity(b, promseries.BucketLabel)
	}
	if w.waiting == nil {
		w.waiting, w.last = map[series.ID][]promwrite.Exemplar{}, map[series.ID]pmetric.ExemplarSlice{}
	}
	w.waiting[id] = append(w.waiting[id], it.Exemplars...)
	w.exemplary = true
}

// attach moves the exemplars of a stream to a point at time t, except later ones.
func (w *writing) attach(id series.ID, to pmetric.ExemplarSlice, t int64) {
	if earlier, ok := w.exemplars.take(id); ok {
		if w.taken == nil {
			w.taken = map[series.ID][]promwrite.Exemplar{}
		}
		w.taken[id] = earlier
		for i := range earlier {
			writeExemplar(to.AppendEmpty(), &earlier[i], t)
		}
	}
	list, ok := w.waiting[id]
	if !ok {
		return
	}
	later := list[:0]
	for i := range list {
		if list[i].Time > t {
			later = append(later, list[i])
			continue
		}
		writeExemplar(to.AppendEmpty(), &list[i], t)
	}
	w.waiting[id], w.last[id] = later, to
}

// attachLate moves exemplars that are later than all points of their stream to its last point.
func (w *writing) attachLate() {
	for id, list := range w.waiting {
		if to, ok := w.last[id]; ok {
			for i := range list {
				writeExemplar(to.AppendEmpty(), &list[i], list[i].Time)
			}
			delete(w.waiting, id)
		}
	}
}

// settle ends the translation. If the data points were accepted, exemplars without a point wait
// for the next one, because Prometheus sends them separately and their point may be in another
// request. Otherwise the client repeats the request, and exemplars of earlier requests wait
// further.
func (w *writing) settle(accepted bool) {
	if !accepted {
		for id, list := range w.taken {
			w.exemplars.put(id, list)
		}
		return
	}
	for id, list := range w.waiting {
		earlier, _ := w.exemplars.take(id)
		for i := range list {
			if rememberable(&list[i]) {
				earlier = append(earlier, list[i])
			} else {
				w.droppedExemplars.Add(1)
			}
		}
		if n := len(earlier) - mostExemplars; n > 0 {
			w.droppedExemplars.Add(int64(n))
			earlier = earlier[n:]
		}
		if len(earlier) > 0 {
			w.exemplars.put(id, earlier)
		}
	}
}

// rememberable reports whether an exemplar is small enough to be kept.
func rememberable(e *promwrite.Exemplar) bool {
	bytes := 0
	for _, l := range e.Labels {
		bytes += len(l.Name) + len(l.Value)
	}
	return bytes <= mostBytes/mostExemplars
}

func writeExemplar(to pmetric.Exemplar, e *promwrite.Exemplar, t int64) {
	if e.Time != 0 {
		t = e.Time
	}
	to.SetTimestamp(promseries.Stamp(t))
	to.SetDoubleValue(e.Value)
	for _, l := range e.Labels {
		var trace [16]byte
		var span [8]byte
		switch {
		case l.Name == prometheustranslator.ExemplarTraceIDKey && unhex(trace[:], l.Value):
			to.SetTraceID(trace)
		case l.Name == prometheustranslator.ExemplarSpanIDKey && unhex(span[:], l.Value):
			to.SetSpanID(span)
		default:
			to.FilteredAttributes().PutStr(l.Name, l.Value)
		}
	}
}

func unhex(to []byte, text string) bool {
	if len(text) != hex.EncodedLen(len(to)) {
		return false
	}
	_, err := hex.Decode(to, []byte(text))
	return err == nil
}
