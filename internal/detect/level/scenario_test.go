// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package level

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

	"github.com/auspex-otel/auspex/internal/detect"
)

// A scenario is a text file in testdata, one statement a line, # for comments:
//
//	alpha A                an alarm is a point with p < A (default 1e-6)
//	noise KIND A B         what is fed from now on: normal MEAN SD, t3 MEAN SCALE, uniform LOW HIGH,
//	                       poisson MEAN, bernoulli P, constant V, ulp V (V and its two neighbours)
//	swing SIZE PERIOD      adds a sine of that size, PERIOD points long; 0 0 ends it
//	ramp STEP              adds STEP more at each point; 0 keeps what there is
//	shift D                adds D from now on
//	feed N [EXPECT ...]    feeds N points and checks what was said about them:
//	  within K             an alarm among the first K
//	  after K              no alarm after the first K
//	  quiet                no alarm
//	  atmost K, atleast K  number of alarms
//	  high, low            every alarm is of that kind
type scenario struct {
	t     *testing.T
	model *Model
	rng   *rand.Rand
	alpha float64
	noise func() float64

	offset, step, swing, period float64
	fed                         int
}

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		for seed := range uint64(5) {
			t.Run(fmt.Sprintf("%s/%d", strings.TrimSuffix(filepath.Base(file), ".txt"), seed), func(t *testing.T) {
				run(t, file, seed)
			})
		}
	}
}

func run(t *testing.T, file string, seed uint64) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := &scenario{t: t, model: New(), rng: rand.New(rand.NewPCG(seed, 1)), alpha: 1e-6}
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
	if verb == "noise" {
		return s.setNoise(args[0], numbersOf(args[1:]))
	}
	x := numbersOf(args)
	switch verb {
	case "alpha":
		s.alpha = x[0]
	case "shift":
		s.offset += x[0]
	case "ramp":
		s.step = x[0]
	case "swing":
		s.swing, s.period = x[0], x[1]
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

// feed feeds n points and checks the expectations.
func (s *scenario) feed(n int, expect []string) error {
	first, last, alarms := n+1, 0, 0
	kinds := map[detect.Kind]int{}
	for i := 1; i <= n; i++ {
		s.offset += s.step
		v := s.noise() + s.offset
		if s.period > 0 {
			v += s.swing * math.Sin(2*math.Pi*float64(s.fed)/s.period)
		}
		s.fed++
		if out := s.model.Observe(int64(s.fed)*15e9, v); out.LogP < math.Log(s.alpha) {
			first, last, alarms = min(first, i), i, alarms+1
			kinds[out.Kind]++
		}
	}
	got := fmt.Errorf("%d alarms, the first at %d, the last at %d, kinds %v", alarms, first, last, kinds)
	for i := 0; i < len(expect); i++ {
		word, k := expect[i], 0
		if i+1 < len(expect) {
			if x, err := strconv.Atoi(expect[i+1]); err == nil {
				k = x
				i++
			}
		}
		ok, known := map[string]bool{
			"within": first <= k, "after": last <= k, "quiet": alarms == 0, "atmost": alarms <= k, "atleast": alarms >= k,
			"high": kinds[detect.KindHigh] == alarms, "low": kinds[detect.KindLow] == alarms,
		}[word]
		if !known {
			return fmt.Errorf("unknown expectation %s", word)
		}
		if !ok {
			return fmt.Errorf("want %s %d, got %w", word, k, got)
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
