// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// wire is one version of remote write.
type wire interface {
	// contentType and version are the headers that tell the server what it gets.
	contentType() string
	version() string
	// translate makes a batch out of metrics. Errors are about single points: the rest is in the batch.
	translate(md pmetric.Metrics, set prometheusremotewrite.Settings) (*batch, error)
	// encode makes the body of a request out of items of one batch, not yet compressed.
	encode(b *batch, items []*item, buf []byte) ([]byte, error)
	// cost returns the size of an item in a request which holds the symbols that seen knows, and adds its own to them.
	cost(b *batch, it *item, seen []int, request int) int
	// halve divides one series in two by time, and tells whether it could.
	halve(it *item) (early, late *item, ok bool)
}

// batch is the translation of one pmetric.Metrics, in the order in which it is to be sent.
type batch struct {
	items   []*item
	symbols []string // of 2.0; items refer to them
	invalid int      // samples of series with a label that a server skips without a word
}

// item is what requests are made of: a series with its samples, or in 1.0 the metadata of a metric.
type item struct {
	rank     rank
	name     string // of the series' metric, "" for metadata
	key      uint64 // orders the series of one name, by a hash of their labels
	samples  int    // with native histograms
	collided int    // samples left out, since another one has their time
	v1       *prompb.TimeSeries
	v2       *writev2.TimeSeries
	metadata *prompb.MetricMetadata
}

// rank orders items by kind: what describes others goes first.
type rank int8

const (
	rankMetadata rank = iota
	rankTargetInfo
	rankSeries
)

func rankOf(name, targetInfo string) rank {
	if name == targetInfo {
		return rankTargetInfo
	}
	return rankSeries
}

// sort gives the batch one order, however the translator's map was walked: a
// resend is the same requests, a metric is in few of them, and names that are
// alike compress well.
func (b *batch) sort() {
	slices.SortFunc(b.items, func(x, y *item) int {
		if c := cmp.Compare(x.rank, y.rank); c != 0 {
			return c
		}
		if c := strings.Compare(x.name, y.name); c != 0 {
			return c
		}
		return cmp.Compare(x.key, y.key)
	})
}

// split cuts a batch into requests of at most limit bytes each. A larger item is alone in its request.
func (b *batch) split(w wire, limit int) [][]*item {
	var parts [][]*item
	seen := make([]int, len(b.symbols))
	first, size, request := 0, 0, 1
	for i := range b.items {
		n := w.cost(b, b.items[i], seen, request)
		if i > first && size+n > limit {
			parts = append(parts, b.items[first:i])
			request++
			first, size = i, 0
			n = w.cost(b, b.items[i], seen, request) // With all its symbols.
		}
		size += n
	}
	if first < len(b.items) {
		parts = append(parts, b.items[first:])
	}
	return parts
}

// halves divides items in two: a list in its middle, a single series by time.
func halves(w wire, items []*item) (early, late []*item, ok bool) {
	if n := len(items); n > 1 {
		return items[:n/2], items[n/2:], true
	}
	a, b, ok := w.halve(items[0])
	return []*item{a}, []*item{b}, ok
}

func sampleCount(items []*item) int {
	n := 0
	for i := range items {
		n += items[i].samples
	}
	return n
}

func collisions(items []*item) int {
	n := 0
	for i := range items {
		n += items[i].collided
	}
	return n
}

// tidy orders samples by time, leaves out those without a time, and of those of
// one time keeps the first, as Prometheus does. It counts what was left out
// although it differs from what was kept.
func tidy[T any](in []T, at func(*T) int64, same func(x, y *T) bool) (out []T, collided int) {
	if len(in) == 0 || len(in) == 1 && at(&in[0]) > 0 {
		return in, 0
	}
	slices.SortStableFunc(in, func(x, y T) int { return cmp.Compare(at(&x), at(&y)) })
	out = in[:0]
	for i := range in {
		if at(&in[i]) <= 0 {
			continue
		}
		if n := len(out); n > 0 && at(&out[n-1]) == at(&in[i]) {
			if !same(&out[n-1], &in[i]) {
				collided++
			}
			continue
		}
		out = append(out, in[i])
	}
	return out, collided
}

// validLabel tells whether a server takes a label. A 1.0 server skips a series
// with an invalid one, and answers that all is well.
func validLabel(name, value string) bool {
	return name != "" && utf8.ValidString(name) && utf8.ValidString(value)
}

// grow returns a slice of n bytes, in buf if that has room.
func grow(buf []byte, n int) []byte {
	if cap(buf) < n {
		return make([]byte, n)
	}
	return buf[:n]
}

// fieldSize is the room that n bytes take as a field of a protobuf message.
func fieldSize(n int) int {
	size := 2
	for l := n; l >= 0x80; l >>= 7 {
		size++
	}
	return size + n
}
