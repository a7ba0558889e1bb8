// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"html/template"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/plot"
)

// MaxPictures bounds the plots of a report.
const MaxPictures = 50

// Picture is a series with its plot. Windows are shaded.
type Picture struct {
	backtest.Summary
	Windows []backtest.Window
	Plot    *Plot
}

// Gallery keeps the pictures of the worst series. It is safe for concurrent use.
type Gallery struct {
	mu   sync.Mutex
	list []Picture
}

// Add adds a picture, and removes the least bad ones if there are too many.
func (g *Gallery) Add(p Picture) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.list = append(g.list, p); len(g.list) >= 2*MaxPictures {
		g.list = slices.Clone(g.worst())
	}
}

// Worst returns up to MaxPictures pictures, worst first.
func (g *Gallery) Worst() []Picture {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.worst())
}

func (g *Gallery) worst() []Picture {
	slices.SortFunc(g.list, func(a, b Picture) int { return backtest.Worse(a.Summary, b.Summary) })
	return g.list[:min(len(g.list), MaxPictures)]
}

// drawing is a picture as the page shows it.
type drawing struct {
	ID            int
	Name, Caption string
	SVG           template.HTML
}

func (p Picture) draw(id int) drawing {
	c := plot.Chart{Name: p.Name, Points: p.Plot.points(), Label: plot.Scaled}
	for _, m := range p.Plot.marks {
		title := time.Unix(0, m.time).UTC().Format(time.DateTime) + "  value " + plot.Short(m.value) + "  opening score " + plot.Short(m.opening)
		c.Marks = append(c.Marks, plot.Mark{Time: m.time, Value: m.value, Title: title})
	}
	for _, w := range p.Windows {
		c.Windows = append(c.Windows, plot.Window{From: w.Start.UnixNano(), To: w.End.UnixNano()})
	}
	return drawing{id, p.Name, p.caption(), c.SVG(id)}
}

func (p Picture) caption() string {
	text := strconv.Itoa(p.Judged) + " points judged, " + strconv.Itoa(p.Openings) + " openings"
	if p.Judged > 0 {
		text += ", worst score " + plot.Short(p.Worst) + " at " + p.WorstAt.UTC().Format(time.DateTime)
	}
	return text
}
