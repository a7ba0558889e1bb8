// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// maxPictures bounds the plots of a report.
const maxPictures = 50

// picture is a series with its plot.
type picture struct {
	Summary
	windows []Window
	plot    *plot
}

// gallery keeps the pictures of the worst series. It is safe for concurrent use.
type gallery struct {
	mu   sync.Mutex
	list []picture
}

func (g *gallery) add(p picture) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.list = append(g.list, p); len(g.list) >= 2*maxPictures {
		g.list = slices.Clone(g.worst())
	}
}

// worst returns the pictures to show, the worst first.
func (g *gallery) worst() []picture {
	slices.SortFunc(g.list, func(a, b picture) int { return worse(a.Summary, b.Summary) })
	return g.list[:min(len(g.list), maxPictures)]
}

// worse orders by the greatest score; where that is equal by name.
func worse(a, b Summary) int {
	return cmp.Or(cmp.Compare(b.Worst, a.Worst), cmp.Compare(a.Name, b.Name))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
