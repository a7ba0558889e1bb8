// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/demo/shop"
	"github.com/auspex-otel/auspex/internal/incident"
)

// screen writes the output for the user. On a terminal it redraws a progress line in place. Elsewhere it writes one
// line per quarter.
type screen struct {
	out        io.Writer
	tty, color bool
	began      time.Time
	drawn      bool
	quarter    int
}

func newScreen(out io.Writer, tty, color bool) *screen {
	return &screen{out: out, tty: tty, color: color, began: time.Now()}
}

// say writes a line with the time since the start.
func (s *screen) say(format string, args ...any) {
	s.clear()
	fmt.Fprintf(s.out, "%s  %s\n", s.dim(s.elapsed()), fmt.Sprintf(format, args...))
}

// plain writes a line without a time.
func (s *screen) plain(format string, args ...any) {
	s.clear()
	fmt.Fprintf(s.out, format+"\n", args...)
}

// progress shows progress from 0 to 1.
func (s *screen) progress(what string, done float64) {
	if s.tty {
		const width = 30
		filled := int(done * width)
		fmt.Fprintf(s.out, "\r\x1b[K%s  %s [%s%s] %3.0f %%", s.dim(s.elapsed()), what,
			strings.Repeat("=", filled), strings.Repeat(" ", width-filled), done*100)
		s.drawn = true
		return
	}
	if q := int(done * 4); q > s.quarter {
		s.quarter = q
		s.say("%s %d %%", what, q*25)
	}
}

// wait shows a status line, only on a terminal.
func (s *screen) wait(format string, args ...any) {
	if s.tty {
		fmt.Fprintf(s.out, "\r\x1b[K%s  %s", s.dim(s.elapsed()), s.dim(fmt.Sprintf(format, args...)))
		s.drawn = true
	}
}

// clear removes a progress line.
func (s *screen) clear() {
	if s.drawn {
		fmt.Fprint(s.out, "\r\x1b[K")
		s.drawn = false
	}
}

// elapsed returns the time since the start as mm:ss.
func (s *screen) elapsed() string {
	d := int(time.Since(s.began).Seconds())
	return fmt.Sprintf("%02d:%02d", d/60, d%60)
}

func (s *screen) bold(t string) string  { return s.paint("1", t) }
func (s *screen) dim(t string) string   { return s.paint("2", t) }
func (s *screen) green(t string) string { return s.paint("1;32", t) }
func (s *screen) red(t string) string   { return s.paint("1;31", t) }

func (s *screen) paint(code, t string) string {
	if !s.color {
		return t
	}
	return "\x1b[" + code + "m" + t + "\x1b[0m"
}

// interval prints one live interval from the frontend's perspective.
func (s *screen) interval(iv *shop.Interval, open int) {
	requests, failed := 0, 0
	for i := range iv.Services {
		requests += len(iv.Services[i].Latencies)
		failed += iv.Services[i].Failed
	}
	word := "no incident open"
	if open == 1 {
		word = "1 incident open"
	} else if open > 1 {
		word = fmt.Sprintf("%d incidents open", open)
	}
	if open > 0 {
		word = s.bold(word)
	}
	s.say("live %s  %5d requests  %3d failed  front page %4.0f ms  %s",
		iv.End.Local().Format(time.TimeOnly), requests, failed, iv.Services[0].Mean()*1e3, word)
}

// found shows what the API says.
func (s *screen) found(f *finding) {
	a := f.evidence
	s.plain("\n%s", s.bold("Result of the API"))
	s.plain("  incident  %s", f.incident)
	s.plain("  service   %s", s.bold(f.service))
	s.plain("  since     %s", f.since.Local().Format(time.DateTime))
	s.plain("  metric    %s, %s", a.Metric, a.Statistic)
	s.plain("  expected  %s (%s to %s)", quantity(a.Expected, a), quantity(a.Lower, a), quantity(a.Upper, a))
	s.plain("  observed  %s (score %.1f, surprise %.1f nats)", quantity(a.Observed, a), a.MaxScore, a.Surprise)
}

// tour shows where the console shows the incident, and what to look at there.
func (s *screen) tour(f *finding, base string) {
	step := func(path, what string) { s.plain("  %s\n      %s", s.bold(base+path), what) }
	s.plain("%s", s.bold("Look at it in the console"))
	step("/", "what is wrong now, in a sentence, and when services left their intervals")
	step("/incidents/"+f.incident, "the suspects with their evidence, the timeline, and the path of the calls")
	if f.evidence.Series != "" {
		step("/series/"+f.evidence.Series, "the series of the first suspect: value, prediction interval, and why an anomaly opened")
	}
	step("/services", "which service calls which, with rates, errors, and durations")
	s.plain("  In a terminal: auspex incidents --endpoint %s %s", base, f.incident)
}

// broken prints the fault after the finding.
func (s *screen) broken(f *finding, t outcome) {
	s.plain("%s", s.bold("Injected fault"))
	if len(t.culprits) == 0 {
		s.plain("  nothing")
		return
	}
	s.plain("  fault     %s in %s: %s", t.kind, s.bold(t.culprits[0]), t.what)
	s.plain("  since     %s", t.from.Local().Format(time.DateTime))
	if len(t.culprits) > 1 {
		s.plain("  as right  %s", strings.Join(t.culprits[1:], ", "))
	}
	if f != nil {
		s.plain("  suspect   %s, %.0f s after it began", f.service, f.since.Sub(t.from).Seconds())
	}
}

// quantity formats a value in the unit of its series. Times below one second are in milliseconds.
func quantity(v float64, a incident.Anomaly) string {
	unit := strings.NewReplacer("{", "", "}", "").Replace(a.Unit)
	switch {
	case unit == "s" && math.Abs(v) < 1:
		v, unit = v*1e3, "ms"
	case unit == "1":
		unit = ""
	case unit == "1/s":
		unit = "requests/s" // the shop's only counts without a unit are those of latencies
	}
	return strings.TrimSpace(strconv.FormatFloat(v, 'g', 4, 64) + " " + unit)
}
