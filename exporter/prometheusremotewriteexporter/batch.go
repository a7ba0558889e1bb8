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

// wire is a version of remote write.
type wire interface {
	// contentType and version are the headers that identify the message.
	contentType() string
	version() string
	// translate converts metrics to a batch. Its errors concern single points; the rest is in the
	// batch.
	translate(md pmetric.Metrics, set prometheusremotewrite.Settings) (*batch, error)
	// encode returns the uncompressed body of a request with items of one batch.
	encode(b *batch, items []*item, buf []byte) ([]byte, error)
	// cost returns the size in bytes of an item in a request that contains the symbols in seen,
	// and adds the item's symbols to seen.
	cost(b *batch, it *item, seen []int, request int) int
	// halve divides a series in two by time, and reports whether it could.
	halve(it *item) (early, late *item, ok bool)
}

// batch is a translated pmetric.Metrics, in sending order.
type batch struct {
	items   []*item
	symbols []string // table of 2.0, which items reference
	invalid int      // samples of series with a label that a server skips silently
}

// item is an element of requests: a series with its samples, or in 1.0 the metadata of a metric.
type item struct {
	rank     rank
	name     string // of the series' metric, "" for metadata
	key      uint64 // orders the series of one name, by a hash of their labels
	samples  int    // including native histograms
	collided int    // samples that were omitted because another has the same time
	v1       *prompb.TimeSeries
	v2       *writev2.TimeSeries
	metadata *prompb.MetricMetadata
}

// rank orders items by kind: metadata precedes the data that it describes.
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

// sort makes the order of the batch independent of the translator's map. A resend then has the
// same requests, a metric is in few of them, and similar names compress well.
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

// split divides a batch into requests of at most limit bytes each. A larger item has its own
// request.
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
			n = w.cost(b, b.items[i], seen, request) // with all its symbols
		}
		size += n
	}
	if first < len(b.items) {
		parts = append(parts, b.items[first:])
	}
	return parts
}

// halves divides items in two: a list at its middle, a single series by time.
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

// tidy orders samples by time. It omits those without a time, and all but the first with the same
// time, as Prometheus does. collided counts omitted samples whose value differs.
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

// validLabel reports whether a server accepts a label. A 1.0 server skips a series with an
// invalid label and still responds with success.
func validLabel(name, value string) bool {
	return name != "" && utf8.ValidString(name) && utf8.ValidString(value)
}

// grow returns a slice of n bytes, which reuses buf if its capacity suffices.
func grow(buf []byte, n int) []byte {
	if cap(buf) < n {
		return make([]byte, n)
	}
	return buf[:n]
}

// fieldSize returns the size of a protobuf field with n bytes of content.
func fieldSize(n int) int {
	size := 2
	for l := n; l >= 0x80; l >>= 7 {
		size++
	}
	return size + n
}
