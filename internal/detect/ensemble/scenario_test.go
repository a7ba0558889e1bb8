// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
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

// A scenario is a text file in testdata with one statement per line. # begins a comment.
//
//	alpha A                a point alarms if p < A (default 1e-6)
//	step D                 time between two points (default 15s); the first is at midnight of a Monday, UTC
//	steps D ...            runs the file once with each of these steps; state numbers of points as durations
//	jitter D               moves the time of each point by up to D either way
//	pause D                advances the clock without points
//	noise KIND A B         values from now on: normal MEAN SD, t3 MEAN SCALE, uniform LOW HIGH,
//	                       poisson MEAN, bernoulli P, constant V, ulp V (V and its two neighbors)
//	swing SIZE PERIOD      adds a sine of that size, PERIOD points long; 0 0 ends it
//	daily SIZE             adds a sine of that size by the time of day, least at 6 and greatest at 18 h; 0 ends it
//	job SIZE HOUR MINUTES  adds SIZE from that hour of each day on for that time; 0 0 0 ends it
//	work SIZE WEEKEND      adds half a sine of that size from 6 to 22 h, WEEKEND times as much on Saturdays and Sundays; 0 ends it
//	events N               adds Poisson counts, N per day; 0 ends it
//	ramp STEP              adds STEP more at each point; 0 keeps the present offset
//	climb D                adds D more in each hour; 0 keeps the present offset
//	shift D                adds D from now on
//	feed N [EXPECT ...]    feeds N points and checks the judgments; N and K are numbers of points or durations:
//	  within K             a point alarms among the first K
//	  after K              none does after the first K
//	  quiet                none does
//	  atmost K, atleast K  number of points that alarm
//	  openings K           at most K anomalies open, by the opening rule at that alpha; openings
//	                       within the cooldown continue an anomaly
//	  opens K              exactly K open, counted in the same way
//	  near V, far V        the latest value expected is within 10 % of V, or is not
//	  high, low            every opened anomaly has this kind
type scenario struct {
	t     *testing.T
	model *Model
	rule  opening.Rule
	rng   *rand.Rand
	alpha float64
	noise func() float64
	now   time.Time
	every time.Duration

	offset, ramp, climb, swing, period, daily, size float64
	work, weekend, events                           float64
	jitter                                          time.Duration
	from, length                                    time.Duration // of the job
	fed, opened                                     int           // points so far, and at the latest opening
}

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, lines, seeds := strings.TrimSuffix(filepath.Base(file), ".txt"), strings.Split(string(text), "\n"), uint64(5)
		steps := stepsOf(lines)
		if len(steps) > 1 {
			seeds = 3
		}
		for _, step := range steps {
			for seed := range seeds {
				t.Run(fmt.Sprintf("%s/%s/%d", name, step, seed), func(t *testing.T) {
					play(t, file, lines, step, seed)
				})
			}
		}
	}
}

// stepsOf returns the steps with which to run a scenario.
func stepsOf(lines []string) (steps []time.Duration) {
	for _, line := range lines {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "steps" {
			for _, word := range words[1:] {
				if d, err := time.ParseDuration(word); err == nil {
					steps = append(steps, d)
				}
			}
			return steps
		}
	}
	return []time.Duration{15 * time.Second}
}

func play(t *testing.T, file string, lines []string, step time.Duration, seed uint64) {
	t.Helper()
	s := &scenario{
		t: t, model: New(nil), rng: rand.New(rand.NewPCG(seed, 1)), alpha: 1e-6,
		now: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), every: step,
	}
	for n, line := range lines {
		text, _, _ := strings.Cut(line, "#")
		if words := strings.Fields(text); len(words) > 0 && words[0] != "steps" {
			if err := s.statement(words[0], words[1:]); err != nil {
				t.Errorf("%s:%d: %s: %v", file, n+1, strings.Join(words, " "), err)
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
	case "step", "pause", "jitter":
		d, err := time.ParseDuration(args[0])
		switch verb {
		case "step":
			s.every = d
		case "jitter":
			s.jitter = d
		default:
			s.now = s.now.Add(d)
		}
		return err
	case "feed":
		n, err := s.points(args[0])
		if err != nil {
			return err
		}
		return s.feed(n, args[1:])
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
	case "work":
		s.work, s.weekend = x[0], x[1]
	case "events":
		s.events = x[0]
	case "climb":
		s.climb = x[0]
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
		"poisson":   func() float64 { return poisson(r, x[0]) },
	}
	if s.noise = draw[kind]; s.noise == nil {
		return fmt.Errorf("unknown noise %s", kind)
	}
	return nil
}

// points parses a number of points, given as such or as a duration.
func (s *scenario) points(word string) (int, error) {
	if d, err := time.ParseDuration(word); err == nil && strings.ContainsAny(word, "hms") {
		return int(d / s.every), nil
	}
	return strconv.Atoi(word)
}

func sq(r *rand.Rand) float64 { x := r.NormFloat64(); return x * x }

func poisson(r *rand.Rand, mean float64) (n float64) {
	for p := r.Float64(); p > math.Exp(-mean); p *= r.Float64() {
		n++
	}
	return n
}

// value returns the next value.
func (s *scenario) value() float64 {
	s.offset += s.ramp + s.climb*s.every.Hours()
	v := s.noise() + s.offset
	if s.period > 0 {
		v += s.swing * math.Sin(2*math.Pi*float64(s.fed)/s.period)
	}
	ofDay := s.now.Sub(s.now.Truncate(24 * time.Hour))
	v -= s.daily * math.Sin(2*math.Pi*ofDay.Hours()/24)
	if ofDay >= s.from && ofDay < s.from+s.length {
		v += s.size
	}
	part := 1.0
	if day := s.now.Weekday(); day == time.Saturday || day == time.Sunday {
		part = s.weekend
	}
	v += s.work * part * max(0, math.Sin((ofDay.Hours()-6)/16*math.Pi))
	if s.events > 0 {
		v += poisson(s.rng, s.events*s.every.Hours()/24)
	}
	return v
}

// said holds the results of the points of one feed.
type said struct {
	first, last, alarms, openings int
	kinds                         map[detect.Kind]int // of the openings
	most                          float64             // surprise, nats
	expected                      float64             // of the latest point
}

// feed passes n points to the model and checks the expectations.
func (s *scenario) feed(n int, expect []string) error {
	got := said{first: n + 1, kinds: map[detect.Kind]int{}}
	for i := 1; i <= n; i++ {
		at := s.now
		if s.jitter > 0 {
			at = at.Add(time.Duration((2*s.rng.Float64() - 1) * float64(s.jitter)))
		}
		out := s.model.Observe(at.UnixNano(), s.value())
		s.now = s.now.Add(s.every)
		s.fed++
		score := detect.Score(out.Surprise, detect.Threshold(s.alpha))
		if score > 1 {
			got.first, got.last, got.alarms = min(got.first, i), i, got.alarms+1
		}
		got.most, got.expected = max(got.most, out.Surprise), out.Expected
		if s.rule.Next(score, out.Held) > 1 {
			if s.opened == 0 || s.fed-s.opened > opening.Cooldown {
				got.openings++
				got.kinds[out.Kind]++
			}
			s.opened = s.fed
		}
	}
	return got.check(expect, s.points)
}

// check returns an error for the first expectation that is not met. points parses their numbers.
func (s *said) check(expect []string, points func(string) (int, error)) error {
	for i := 0; i < len(expect); i++ {
		word, k := expect[i], 0
		if i+1 < len(expect) {
			if x, err := points(expect[i+1]); err == nil {
				k = x
				i++
			}
		}
		near := math.Abs(s.expected-float64(k)) <= 0.1*math.Abs(float64(k))
		ok, known := map[string]bool{
			"within": s.first <= k, "after": s.last <= k, "quiet": s.alarms == 0, "atmost": s.alarms <= k, "atleast": s.alarms >= k,
			"openings": s.openings <= k, "opens": s.openings == k, "near": near, "far": !near, "high": s.kinds[detect.KindHigh] == s.openings, "low": s.kinds[detect.KindLow] == s.openings,
		}[word]
		if !known {
			return fmt.Errorf("unknown expectation %s", word)
		}
		if !ok {
			return fmt.Errorf("want %s %d, got %d alarms, the first at %d, the last at %d, %d openings, kinds %v, greatest surprise %.1f, expected %.4g",
				word, k, s.alarms, s.first, s.last, s.openings, s.kinds, s.most, s.expected)
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
