// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/replay"
)

const benchKeys, benchPoints = 10, 1000

// benchFleet returns the next points of some series, one series after the other, as a host sorts them.
func benchFleet(random *rand.Rand, begin time.Time) (list []point) {
	for k := range benchKeys {
		for i := range benchPoints {
			list = append(list, point{fmt.Sprint("series ", k), begin.Add(time.Duration(i) * time.Minute), random.NormFloat64()})
		}
	}
	return list
}

// BenchmarkSeries reports the time per point of the interface for series, with Arrow and the engine, and that of the
// engine alone.
func BenchmarkSeries(b *testing.B) {
	b.Run("worker", func(b *testing.B) {
		random := rand.New(rand.NewPCG(1, 1))
		s := newSeries(engine.DefaultConfig(), Options{Memory: 64 << 20, Live: DefaultLive})
		for n := 0; b.Loop(); n++ {
			b.StopTimer()
			body := rows(b, benchFleet(random, noon.Add(time.Duration(n*benchPoints)*time.Minute)), 10_000)
			b.StartTimer()
			_, err := s.observe("", body)
			require.NoError(b, err)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchKeys*benchPoints), "ns/point")
	})
	b.Run("engine", func(b *testing.B) {
		random := rand.New(rand.NewPCG(1, 1))
		series := map[any]*replay.Series{}
		for n := 0; b.Loop(); n++ {
			b.StopTimer()
			points := benchFleet(random, noon.Add(time.Duration(n*benchPoints)*time.Minute))
			b.StartTimer()
			for _, p := range points {
				s := series[p.key]
				if s == nil {
					s = replay.NewSeries(engine.DefaultConfig())
					series[p.key] = s
				}
				s.Observe(p.time.(time.Time).UnixNano(), p.value.(float64))
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchKeys*benchPoints), "ns/point")
	})
	b.Run("restore and save", func(b *testing.B) {
		random := rand.New(rand.NewPCG(1, 1))
		s := newSeries(engine.DefaultConfig(), Options{Memory: 64 << 20, Live: DefaultLive})
		_, err := s.observe("", rows(b, benchFleet(random, noon), 10_000))
		require.NoError(b, err)
		state, err := s.snapshot("series 0")
		require.NoError(b, err)
		for b.Loop() {
			require.NoError(b, s.restore("series 0", state))
			state, err = s.snapshot("series 0")
			require.NoError(b, err)
		}
		b.ReportMetric(float64(len(state)), "B/state")
	})
}
