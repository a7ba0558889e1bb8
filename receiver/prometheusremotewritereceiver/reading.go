// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"bytes"

	"github.com/auspex-otel/auspex/internal/wire/promwrite"
)

// mostExamples bounds the faults that an answer names.
const mostExamples = 3

// reading holds one request while it is processed.
type reading struct {
	reader *promwrite.Reader
	body   bytes.Buffer // as received
	plain  []byte       // decompressed

	series   []promwrite.Series
	metadata []promwrite.Metadata

	samples, histograms, exemplars int // accepted
	unsorted, fragments            int
	lost                           promwrite.Fault // rejected
	refused                        map[promwrite.Reason]int
	examples                       []promwrite.Fault
	faults                         int
}

var _ promwrite.Sink = (*reading)(nil)

func (g *reading) reset() {
	clear(g.series)
	clear(g.metadata)
	*g = reading{reader: g.reader, body: g.body, plain: g.plain, series: g.series[:0], metadata: g.metadata[:0]}
}

// keepBytes and keepSeries are the capacities up to which buffers are reused.
const (
	keepBytes  = 2 << 20
	keepSeries = 20_000
)

func (g *reading) small() bool {
	return g.body.Cap() <= keepBytes && cap(g.plain) <= keepBytes && cap(g.series) <= keepSeries
}

// Series collects a series.
func (g *reading) Series(s *promwrite.Series) {
	g.series = append(g.series, *s)
	g.samples += len(s.Samples)
	g.histograms += len(s.Histograms)
	g.exemplars += len(s.Exemplars)
	if s.Unsorted {
		g.unsorted++
	}
}

// Metadata collects the metadata of a family in version 1.
func (g *reading) Metadata(m promwrite.Metadata) { g.metadata = append(g.metadata, m) }

// Refused counts rejected points.
func (g *reading) Refused(f promwrite.Fault) {
	if g.refused == nil {
		g.refused = map[promwrite.Reason]int{}
	}
	g.refused[f.Reason] += f.Samples + f.Histograms + f.Exemplars
	g.lost.Samples += f.Samples
	g.lost.Histograms += f.Histograms
	g.lost.Exemplars += f.Exemplars
	g.faults++
	if len(g.examples) < mostExamples {
		g.examples = append(g.examples, f)
	}
}
