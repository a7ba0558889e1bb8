// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"slices"
	"sync"

	"github.com/auspex-otel/auspex/internal/backtest"
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
