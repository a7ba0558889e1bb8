// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const cadence = 5 * time.Second

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// averages returns the means over n intervals by service: requests, failed requests, latency.
func averages(s *Simulation, n int) [][3]float64 {
	out := make([][3]float64, len(s.services))
	for range n {
		iv := s.Next()
		for i := range iv.Services {
			a := &iv.Services[i]
			out[i][0] += float64(len(a.Latencies)) / float64(n)
			out[i][1] += float64(a.Failed) / float64(n)
			out[i][2] += a.Mean() / float64(n)
		}
	}
	return out
}

// broken returns averages before and during a fault, and the normal behavior.
func broken(t *testing.T, f Fault) (before, after [][3]float64, n Normal) {
	t.Helper()
	s, r := New(7, noon, cadence, 0), NewRecord(len(Services()), 400)
	for range 400 {
		r.Add(s.Next())
	}
	n = r.Normal(f.Service)
	before = averages(s, 400)
	s.Break(f, n)
	return before, averages(s, 400), n
}

func TestGraph(t *testing.T) {
	services := Services()
	if len(services) < 5 {
		t.Fatalf("%d services, want 5 or more", len(services))
	}
	edges := 0
	for i, s := range services {
		for _, c := range s.Calls {
			edges++
			if c.To <= i || c.Share <= 0 || c.Share >= 1 {
				t.Errorf("%s has the call %+v", s.Name, c)
			}
		}
		if s.Failure <= 0 || s.Clients <= 0 {
			t.Errorf("%s: %+v", s.Name, s)
		}
	}
	if edges < len(services)-1 {
		t.Errorf("%d edges", edges)
	}
}

func TestSameSeedSameShop(t *testing.T) {
	play := func(seed uint64) (sum float64) {
		s := New(seed, noon, cadence, .01)
		for k := range 60 {
			if k == 30 {
				s.Break(Fault{Kind: Latency, Service: bank, Size: 5}, Normal{Latency: Moments{Mean: .08, Sigma: .002}})
			}
			iv := s.Next()
			for i := range iv.Services {
				a := &iv.Services[i]
				sum += a.Mean() + float64(a.Failed+a.Active) + a.Pods[0].CPU + a.Pods[1].Memory
			}
			for _, span := range iv.Spans {
				sum += span.End.Sub(span.Start).Seconds()
			}
		}
		return sum
	}
	if a, b := play(3), play(3); a != b {
		t.Errorf("seed 3 gives %v, then %v", a, b)
	}
	if play(3) == play(4) {
		t.Error("seeds 3 and 4 produce the same shop")
	}
	if Draw(3, "") != Draw(3, "") {
		t.Error("seed 3 draws two faults")
	}
}

func TestTimeOfDay(t *testing.T) {
	at := func(hour int) float64 {
		return averages(New(1, time.Date(2026, 5, 4, hour, 0, 0, 0, time.UTC), cadence, 0), 60)[frontend][0]
	}
	if night, day := at(3), at(15); day < 1.6*night {
		t.Errorf("%.0f requests at night, %.0f by day", night, day)
	}
	sum := 0.
	for m := range 1440 {
		sum += dayFactor(noon.Add(time.Duration(m) * time.Minute))
	}
	if math.Abs(sum/1440-1) > 1e-9 {
		t.Errorf("the day's mean factor is %v", sum/1440)
	}
}

func TestLatencyReachesCallers(t *testing.T) {
	before, after, n := broken(t, Fault{Kind: Latency, Service: payments, Size: 8})
	rise := func(i int) float64 { return after[i][2] - before[i][2] }
	if want := 8 * n.Latency.Sigma; math.Abs(rise(payments)-want) > .1*want {
		t.Errorf("payments slows by %v, want %v", rise(payments), want)
	}
	// checkout calls payments with probability .55. frontend calls checkout with probability .2.
	for service, share := range map[int]float64{checkout: .55, frontend: .11} {
		want := share * rise(payments)
		if math.Abs(rise(service)-want) > .35*want {
			t.Errorf("%s slows by %v, want about %v", Services()[service].Name, rise(service), want)
		}
	}
	for _, service := range []int{bank, cart, catalog, shipping} {
		if math.Abs(rise(service)) > .05*rise(payments) {
			t.Errorf("%s slows by %v", Services()[service].Name, rise(service))
		}
	}
}

func TestErrorsSurfaceInPart(t *testing.T) {
	before, after, n := broken(t, Fault{Kind: Errors, Service: payments, Size: 6})
	rise := func(i int) float64 { return after[i][1] - before[i][1] }
	if want := 6 * n.Failed.Sigma; math.Abs(rise(payments)-want) > .15*want {
		t.Errorf("payments fails %v times more, want %v", rise(payments), want)
	}
	if r := rise(checkout); r < .1*rise(payments) || r > .5*rise(payments) {
		t.Errorf("checkout fails %v times more, payments %v", r, rise(payments))
	}
}

func TestThroughputReachesCallees(t *testing.T) {
	for _, drop := range []bool{false, true} {
		before, after, n := broken(t, Fault{Kind: Throughput, Service: payments, Size: 6, Other: drop})
		want := 6 * n.Requests.Sigma
		if drop {
			want = -want
		}
		change := func(i int) float64 { return after[i][0] - before[i][0] }
		if math.Abs(change(payments)-want) > .15*math.Abs(want) {
			t.Errorf("drop %v: payments' requests change by %v, want %v", drop, change(payments), want)
		}
		if math.Abs(change(checkout)) > .1*math.Abs(want) {
			t.Errorf("drop %v: checkout's requests change by %v", drop, change(checkout))
		}
		if !drop && change(bank) < .4*want {
			t.Errorf("the surge at payments brings the bank %v more requests", change(bank))
		}
	}
}

func TestRecordTakesOutTheSlope(t *testing.T) {
	r := NewRecord(1, 200)
	rng := rand.New(rand.NewPCG(1, 1))
	iv := &Interval{Services: make([]Activity, 1)}
	if r.Normal(0) != (Normal{}) {
		t.Error("an empty record returns a normal behavior")
	}
	for k := range 450 {
		iv.Services[0] = Activity{Failed: 1000 + 10*k + int(math.Round(20*rng.NormFloat64()))}
		r.Add(iv)
	}
	got := r.Normal(0).Failed
	if math.Abs(got.Mean-5490) > 10 || got.Sigma < 16 || got.Sigma > 24 {
		t.Errorf("%+v, want 5490 and 20", got)
	}
}

func TestPoisson(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, mean := range []float64{0, .5, 5, 64, 300} {
		var sum, squares float64
		const n = 20000
		for range n {
			v := float64(poisson(rng, mean))
			sum += v
			squares += v * v
		}
		m := sum / n
		if variance := squares/n - m*m; math.Abs(m-mean) > .05*mean || math.Abs(variance-mean) > .06*mean {
			t.Errorf("mean %v: got mean %v, variance %v", mean, m, variance)
		}
	}
}
