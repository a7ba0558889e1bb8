// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Progress displays the progress of a backtest: a bar on a terminal, otherwise one line per minute. It is safe for
// concurrent use. A nil Progress displays nothing.
type Progress struct {
	out      io.Writer
	name     string
	terminal bool

	mu             sync.Mutex
	total, done    int64 // bytes
	points         int64
	started, shown time.Time
	now            func() time.Time
}

const (
	// barEvery is the interval at which a terminal's bar is drawn, lineEvery that of printed lines.
	barEvery, lineEvery = 100 * time.Millisecond, time.Minute
)

// NewProgress returns a Progress with a name for its lines.
func NewProgress(out io.Writer, name string, terminal bool) *Progress {
	return &Progress{out: out, name: name, terminal: terminal, now: time.Now}
}

// Start sets the total number of bytes to read.
func (p *Progress) Start(total int64) {
	if p == nil {
		return
	}
	p.total, p.started = total, p.now()
	p.shown = p.started
	if p.terminal {
		p.shown = time.Time{}
	}
}

// Add adds bytes that were read, and points observed in them.
func (p *Progress) Add(bytes, points int64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = min(p.done+bytes, p.total)
	p.points += points
	now, every := p.now(), lineEvery
	if p.terminal {
		every = barEvery
	}
	if now.Sub(p.shown) < every {
		return
	}
	p.shown = now
	if p.terminal {
		p.bar(now)
	} else {
		_, _ = fmt.Fprintf(p.out, "%s: %.0f %%, %d points, %.0f/s\n", p.name, p.share()*100, p.points, p.rate(now))
	}
}

func (p *Progress) share() float64 { return float64(p.done) / float64(max(p.total, 1)) }

// rate returns points per second.
func (p *Progress) rate(now time.Time) float64 {
	return float64(p.points) / now.Sub(p.started).Seconds()
}

// bar draws the bar on a terminal.
func (p *Progress) bar(now time.Time) {
	const width = 30
	full := int(p.share() * width)
	_, _ = fmt.Fprintf(p.out, "\r\x1b[K%s %s%s %3.0f %%  %d points, %.0f/s", p.name,
		strings.Repeat("█", full), strings.Repeat("░", width-full), p.share()*100, p.points, p.rate(now))
}

// End erases the bar.
func (p *Progress) End() {
	if p != nil && p.terminal {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// Meter reads one input and reports its position to a Progress.
type Meter struct {
	in       io.Reader
	progress *Progress
	left     int64 // bytes that were not read yet
	// Points is the number of points observed since the last read.
	Points int64
}

// NewMeter returns a Meter of an input of size bytes. A nil Progress displays nothing.
func NewMeter(in io.Reader, progress *Progress, size int64) *Meter {
	return &Meter{in: in, progress: progress, left: size}
}

// Read implements io.Reader.

func (m *Meter) Read(b []byte) (int, error) {
	n, err := m.in.Read(b)
	m.left -= int64(n)
	m.progress.Add(int64(n), m.Points)
	m.Points = 0
	return n, err
}

// End counts the unread bytes, so that the progress of all inputs adds up to their size.
func (m *Meter) End() { m.progress.Add(max(m.left, 0), m.Points) }
