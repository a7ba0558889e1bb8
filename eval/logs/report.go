// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
)

// Targets.
const (
	wantResolved = .959
	wantEmitted  = .902
	wantFGA      = .75
	wantFTA      = .50
	wantWorst    = .60
	wantShuffled = .04 // maximum difference from the mean
	wantAgree    = .99
	wantPlain    = 1_300_000 // lines per second
	wantParams   = 250_000
	wantMemory   = 64 << 20
	shuffles     = 3
)

// report prints the tables and counts the missed targets.
type report struct {
	out    io.Writer
	missed int
}

func (r *report) say(format string, args ...any) { _, _ = fmt.Fprintf(r.out, format, args...) }

// want prints a figure with its target.
func (r *report) want(what string, met bool, got, target string) {
	verdict := "met"
	if !met {
		verdict = "MISSED"
		r.missed++
	}
	r.say("%-42s %12s   target %-12s %s\n", what, got, target, verdict)
}

func ratio(v float64) string { return fmt.Sprintf("%.4f", v) }

// quality prints the accuracy of groups and templates.
func (r *report) quality(list []corpus) {
	r.say("%-14s %8s %8s %8s %8s   %s\n", "system", "GA", "emitted", "FGA", "FTA", "GA of three shuffles")
	var mean scores
	emitted, worst := 0., 1.
	shuffled := [shuffles]float64{}
	n := float64(len(list))
	for _, c := range list {
		m := mine(c.lines, straight(len(c.lines)))
		s, e := score(c.truth, m.resolved), score(c.truth, m.emitted)
		mean.ga, mean.fga, mean.fta = mean.ga+s.ga/n, mean.fga+s.fga/n, mean.fta+s.fta/n
		emitted += e.ga / n
		worst = min(worst, s.ga)
		r.say("%-14s %8.4f %8.4f %8.4f %8.4f  ", c.name, s.ga, e.ga, s.fga, s.fta)
		for k := range shuffled {
			ga := score(c.truth, mine(c.lines, shuffle(len(c.lines), uint64(k))).resolved).ga
			shuffled[k] += ga / n
			r.say(" %.4f", ga)
		}
		r.say("\n")
	}
	lowest := min(shuffled[0], shuffled[1], shuffled[2])
	r.say("%-14s %8.4f %8.4f %8.4f %8.4f   %.4f %.4f %.4f\n\n", "mean", mean.ga, emitted, mean.fga, mean.fta, shuffled[0], shuffled[1], shuffled[2])
	r.want("grouping accuracy, resolved", mean.ga >= wantResolved, ratio(mean.ga), "≥ .959")
	r.want("grouping accuracy, as emitted", emitted >= wantEmitted, ratio(emitted), "≥ .902")
	r.want("F1 of groups", mean.fga >= wantFGA, ratio(mean.fga), "≥ .75")
	r.want("F1 of templates", mean.fta >= wantFTA, ratio(mean.fta), "≥ .50")
	r.want("worst system", worst >= wantWorst, ratio(worst), "≥ .60")
	r.want("worst of three shuffles", lowest >= mean.ga-wantShuffled, ratio(lowest), "≥ mean − .04")
}

// replicas prints the agreement of two miners that receive the same lines in different orders.
func (r *report) replicas(list []corpus) {
	var lines []string
	for _, c := range list {
		lines = append(lines, c.lines...)
	}
	const warm = 10_000
	if len(lines) <= warm {
		r.say("skipped: replicas need more than %d lines, there are %d\n", warm, len(lines))
		return
	}
	// The first 10,000 lines have two orders, the others one.
	common := shuffle(len(lines), 100)
	a, b := common, slices.Clone(common)
	rng := newRand(101)
	rng.Shuffle(warm, func(i, j int) { b[i], b[j] = b[j], b[i] })
	one, two := mine(lines, a), mine(lines, b)
	ids, finals := 0, 0
	for _, i := range common[warm:] {
		ids += count(one.emitted.group[i] == two.emitted.group[i])
		finals += count(one.resolved.group[i] == two.resolved.group[i])
	}
	n := float64(len(lines) - warm)
	r.want("agreement on ids after 10,000 lines", float64(ids)/n >= wantAgree, ratio(float64(ids)/n), "≥ .99")
	r.want("agreement on resolved ids", float64(finals)/n >= wantAgree, ratio(float64(finals)/n), "≥ .99")
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func straight(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

func shuffle(n int, seed uint64) []int { return newRand(seed).Perm(n) }

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
