// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/template"
)

const repetitions = 10

// speed prints the number of lines per second on one core, with all systems interleaved and shuffled, and every run
// of digits drawn again in each repetition. The fastest repetition counts, because other load on the machine slows
// the others.
func (r *report) speed(list []corpus) {
	var lines []string
	for _, c := range list {
		lines = append(lines, c.lines...)
	}
	plain, params := template.New(template.DefaultConfig()), template.New(template.DefaultConfig())
	rng := newRand(7)
	without, with := time.Hour, time.Hour
	total, n := 0, 0
	var buf []template.Param
	for rep := range repetitions + 1 {
		drawn := make([]string, len(lines))
		for i, k := range rng.Perm(len(lines)) {
			drawn[i] = redraw(lines[k], rng)
		}
		start := time.Now()
		for _, line := range drawn {
			plain.Observe("", line)
		}
		middle := time.Now()
		for _, line := range drawn {
			params.Observe("", line)
			buf = params.Params(buf[:0])
		}
		if rep == 0 {
			continue // learning
		}
		without, with = min(without, middle.Sub(start)), min(with, time.Since(middle))
		n += len(drawn)
		for _, line := range drawn {
			total += len(line)
		}
	}
	a, b := float64(len(lines))/without.Seconds(), float64(len(lines))/with.Seconds()
	r.say("\n%d lines of %.1f bytes in the mean\n", n, float64(total)/float64(n))
	r.want("lines per second and core, parameters off", a >= wantPlain, fmt.Sprintf("%.0f", a), "≥ 1300000")
	r.want("lines per second and core, parameters on", b >= wantParams, fmt.Sprintf("%.0f", b), "≥ 250000")
}

// redraw replaces the digits of every number. It keeps a leading 0 and creates none.
func redraw(line string, rng *rand.Rand) string {
	b := []byte(line)
	for i, c := range b {
		if c >= '1' && c <= '9' {
			b[i] = byte('1' + rng.IntN(9))
		} else if c == '0' && i > 0 && b[i-1] >= '0' && b[i-1] <= '9' {
			b[i] = byte('0' + rng.IntN(10))
		}
	}
	return string(b)
}

// flood prints the memory for lines of random words, and whether a real line keeps its template after them.
func (r *report) flood(n int) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m := template.New(template.DefaultConfig())
	rng := newRand(11)
	const known = "worker 17 took 230 ms"
	id := m.Observe("", known).ID
	peak := uint64(0)
	start := time.Now()
	for i := range n {
		m.Observe("", junk(rng))
		if i%1000 == 0 {
			m.Observe("", known)
		}
		if i%(n/20+1) == 0 {
			runtime.ReadMemStats(&after)
			peak = max(peak, after.HeapInuse-min(before.HeapInuse, after.HeapInuse))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	match := m.Observe("", known)
	r.say("\n%d lines of junk, %.1f µs each\n", n, time.Since(start).Seconds()*1e6/float64(n))
	r.want("peak heap during junk", peak < wantMemory, fmt.Sprintf("%.1f MiB", float64(peak)/(1<<20)), "< 64 MiB")
	r.say("%-42s %8.1f MiB\n", "heap after junk and garbage collection", float64(after.HeapInuse-before.HeapInuse)/(1<<20))
	r.want("a recurring template keeps its id", match.ID == id && !match.New, strconv.FormatBool(!match.New), "true")
}

// junk returns 1 to 12 random words of letters.
func junk(rng *rand.Rand) string {
	var b strings.Builder
	for range 1 + rng.IntN(12) {
		for range 2 + rng.IntN(9) {
			b.WriteByte(byte('a' + rng.IntN(26)))
		}
		b.WriteByte(' ')
	}
	return b.String()
}
