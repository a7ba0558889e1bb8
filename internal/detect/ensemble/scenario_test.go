// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/opening"
)

// A scenario is a text file in testdata, one statement a line, # for comments:
//
//	alpha A                a point alarms if p < A (default 1e-6)
//	step D                 time between two points (default 15s); the first is at midnight of a Monday, UTC
//	pause D                moves the clock, without points
//	noise KIND A B         what is fed from now on: normal MEAN SD, t3 MEAN SCALE, uniform LOW HIGH,
//	                       poisson MEAN, bernoulli P, constant V, ulp V (V and its two neighbours)
//	swing SIZE PERIOD      adds a sine of that size, PERIOD points long; 0 0 ends it
//	daily SIZE             adds a sine of that size by the time of day, least at 6 and greatest at 18 h; 0 ends it
//	job SIZE HOUR MINUTES  adds SIZE from that hour of each day on, so long; 0 0 0 ends it
//	ramp STEP              adds STEP more at each point; 0 keeps what there is
//	shift D                adds D from now on
//	feed N [EXPECT ...]    feeds N points and checks what was said about them:
//	  within K             a point alarms among the first K
//	  after K              none does after the first K
//	  quiet                none does
//	  atmost K, atleast K  number of points that alarm
//	  openings K           at most K anomalies open, by the opening rule at that alpha; what
//	                       opens again within the hold-off continues one
//	  high, low            every one that opens is of that kind
type scenario struct {
	t     *testing.T
	model *Model
	rule  opening.Rule
	rng   *rand.Rand
	alpha float64
	noise func() float64
	now   time.Time
	every time.Duration

	offset, ramp, swing, period, daily, size float64
	from, length                             time.Duration // of the job
	fed, opened                              int           // points so far, and at the latest opening
}

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		for seed := range uint64(5) {
			t.Run(fmt.Sprintf("%s/%d", strings.TrimSuffix(filepath.Base(file), ".txt"), seed), func(t *testing.T) {
				play(t, file, seed)
			})
		}
	}
}

func play(t *testing.T, file string, seed uint64) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := &scenario{
		t: t, model: New(nil), rng: rand.New(rand.NewPCG(seed, 1)), alpha: 1e-6,
		now: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), every: 15 * time.Second,
	}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if words := strings.Fields(text); len(words) > 0 {
			if err := s.statement(words[0], words[1:]); err != nil {
				t.Errorf("%s:%d: %s: %v", file, n, strings.Join(words, " "), err)
			}
		}
	}
}

func (s *scenario) statement(verb string, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%s needs an argument", verb)
	}
	switch verb {
	case "noise":
		return s.setNoise(args[0], numbersOf(args[1:]))
	case "step", "pause":
		d, err := time.ParseDuration(args[0])
		if verb == "step" {
			s.every = d
		} else {
			s.now = s.now.Add(d)
		}
		return err
	}
	x := append(numbersOf(args), 0, 0)
	switch verb {
	case "alpha":
		s.alpha = x[0]
	case "shift":
		s.offset += x[0]
	case "ramp":
		s.ramp = x[0]
	case "swing":
		s.swing, s.period = x[0], x[1]
	case "daily":
		s.daily = x[0]
	case "job":
		s.size, s.from, s.length = x[0], time.Duration(x[1]*float64(time.Hour)), time.Duration(x[2])*time.Minute
	case "feed":
		return s.feed(int(x[0]), args[1:])
	default:
		return errors.New("unknown statement")
	}
	return nil
}

func (s *scenario) setNoise(kind string, x []float64) error {
	r := s.rng
	x = append(x, 0)
	draw := map[string]func() float64{
		"normal":    func() float64 { return x[0] + x[1]*r.NormFloat64() },
		"t3":        func() float64 { return x[0] + x[1]*r.NormFloat64()/math.Sqrt((sq(r)+sq(r)+sq(r))/3) },
		"uniform":   func() float64 { return x[0] + (x[1]-x[0])*r.Float64() },
		"bernoulli": func() float64 { return float64(min(1, int(x[0]/r.Float64()))) },
		"constant":  func() float64 { return x[0] },
		"ulp":       func() float64 { return math.Nextafter(x[0], []float64{0, x[0], math.Inf(1)}[r.IntN(3)]) },
		"poisson": func() (n float64) {
			for p := r.Float64(); p > math.Exp(-x[0]); p *= r.Float64() {
				n++
			}
			return n
		},
	}
	if s.noise = draw[kind]; s.noise == nil {
		return fmt.Errorf("unknown noise %s", kind)
	}
	return nil
}

func sq(r *rand.Rand) float64 { x := r.NormFloat64(); return x * x }

// value returns the next value.
func (s *scenario) value() float64 {
	s.offset += s.ramp
	v := s.noise() + s.offset
	if s.period > 0 {
		v += s.swing * math.Sin(2*math.Pi*float64(s.fed)/s.period)
	}
	ofDay := s.now.Sub(s.now.Truncate(24 * time.Hour))
	v -= s.daily * math.Sin(2*math.Pi*ofDay.Hours()/24)
	if ofDay >= s.from && ofDay < s.from+s.length {
		v += s.size
	}
	return v
}

// said is what was said about the points of one feed.
type said struct {
	first, last, alarms, openings int
	kinds                         map[detect.Kind]int // of the openings
	least                         float64             // ln p
}

// feed feeds n points and checks the expectations.
func (s *scenario) feed(n int, expect []string) error {
	got := said{first: n + 1, kinds: map[detect.Kind]int{}}
	for i := 1; i <= n; i++ {
		out := s.model.Observe(s.now.UnixNano(), s.value())
		s.now = s.now.Add(s.every)
		s.fed++
		score := detect.Score(out.LogP, s.alpha)
		if score > 1 {
			got.first, got.last, got.alarms = min(got.first, i), i, got.alarms+1
		}
		got.least = min(got.least, out.LogP)
		if s.rule.Next(score, out.Held) > 1 {
			if s.opened == 0 || s.fed-s.opened > opening.HoldOff {
				got.openings++
				got.kinds[out.Kind]++
			}
			s.opened = s.fed
		}
	}
	return got.check(expect)
}

func (s *said) check(expect []string) error {
	for i := 0; i < len(expect); i++ {
		word, k := expect[i], 0
		if i+1 < len(expect) {
			if x, err := strconv.Atoi(expect[i+1]); err == nil {
				k = x
				i++
			}
		}
		ok, known := map[string]bool{
			"within": s.first <= k, "after": s.last <= k, "quiet": s.alarms == 0, "atmost": s.alarms <= k, "atleast": s.alarms >= k,
			"openings": s.openings <= k, "high": s.kinds[detect.KindHigh] == s.openings, "low": s.kinds[detect.KindLow] == s.openings,
		}[word]
		if !known {
			return fmt.Errorf("unknown expectation %s", word)
		}
		if !ok {
			return fmt.Errorf("want %s %d, got %d alarms, the first at %d, the last at %d, %d openings, kinds %v, least ln p %.1f",
				word, k, s.alarms, s.first, s.last, s.openings, s.kinds, s.least)
		}
	}
	return nil
}

func numbersOf(words []string) []float64 {
	var xs []float64
	for _, w := range words {
		if x, err := strconv.ParseFloat(w, 64); err == nil {
			xs = append(xs, x)
		}
	}
	return xs
}
