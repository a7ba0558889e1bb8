// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// warm returns n models after 600 points each.
func warm(n int, xs []float64) []*Model {
	models := make([]*Model, n)
	for i := range models {
		models[i] = New(nil)
		for k := range 600 {
			models[i].Observe(at(k), xs[(7*i+k)%len(xs)])
		}
	}
	return models
}

// BenchmarkObserve observes one series repeatedly, so that its memory is in the cache.
func BenchmarkObserve(b *testing.B) {
	xs := mixed(4000, 14)
	m := warm(1, xs)[0]
	b.ReportAllocs()
	i := 600
	for b.Loop() {
		m.Observe(at(i), xs[i%len(xs)])
		i++
	}
}

// BenchmarkObserveShuffled observes 10,000 series in shuffled order, so that their memory is not in the cache.
func BenchmarkObserveShuffled(b *testing.B) {
	xs := mixed(4000, 14)
	models := warm(10000, xs)
	order := rand.New(rand.NewPCG(1, 1)).Perm(len(models))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		k := order[i%len(order)]
		models[k].Observe(at(600+i/len(order)), xs[(7*k+i/len(order))%len(xs)])
		i++
	}
	b.ReportMetric(float64(unsafe.Sizeof(Model{})), "B/series")
}

func BenchmarkCodec(b *testing.B) {
	m := warm(1, mixed(4000, 15))[0]
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = m.AppendBinary(buf[:0])
		if err := m.UnmarshalBinary(buf); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(buf)), "B/state")
}
