// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"

	"github.com/auspex-otel/auspex/internal/template"
)

const (
	growthBlock   = 10_000
	wantTemplates = 60 // after the first block
	wantFresh     = 2  // new ones in each later block
)

// growth prints, for each common format, the number of templates after the first block of generated records and the
// number of new templates in each later block. It needs at least two blocks.
func (r *report) growth(seed uint64, records int) {
	if records < 2*growthBlock {
		r.say("\nskipped: generated formats need %d records, there are %d\n", 2*growthBlock, records)
		return
	}
	r.say("\ngenerated formats, seed %d: %d records of ten shapes each\n", seed, records)
	r.say("%-20s %9s %9s   %s\n", "format", "templates", "called new", "called new in each later 10,000")
	templates, fresh := 0, 0
	for _, f := range formats {
		g := grow(f, seed, records)
		r.say("%-20s %9d %9d   %v\n", f.name, g.templates, g.fresh[0], g.fresh[1:])
		templates = max(templates, g.templates)
		for _, n := range g.fresh[1:] {
			fresh = max(fresh, n)
		}
	}
	r.want("templates after 10,000 records, worst", templates <= wantTemplates, strconv.Itoa(templates), "≤ 60")
	r.want("new per 10,000 after that, worst", fresh <= wantFresh, strconv.Itoa(fresh), "≤ 2")
}

type grown struct {
	templates int   // after the first block
	fresh     []int // new templates of each block
}

func grow(f format, seed uint64, records int) (g grown) {
	m, v := template.New(template.DefaultConfig()), newValues(seed)
	for range records / growthBlock {
		fresh := 0
		for range growthBlock {
			fresh += count(m.Observe("", template.Body(f.record(v))).New)
		}
		if len(g.fresh) == 0 {
			g.templates = m.Stats().Templates
		}
		g.fresh = append(g.fresh, fresh)
	}
	return g
}
