// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"

	"github.com/auspex-otel/auspex/internal/template"
)

// mined holds the labels of the miner at the time of each line and at the end.
type mined struct{ emitted, resolved labels }

func text(id template.ID) string { return strconv.FormatUint(uint64(id), 16) }

// mine passes the lines, in the given order, to a new miner with the default settings. The result is in the original
// order.
func mine(lines []string, order []int) mined {
	m := template.New(template.DefaultConfig())
	n := len(lines)
	out := mined{labels{make([]string, n), make([]string, n)}, labels{make([]string, n), make([]string, n)}}
	ids := make([]template.ID, n)
	for _, i := range order {
		match := m.Observe("", lines[i])
		ids[i] = match.ID
		out.emitted.group[i], out.emitted.template[i] = text(match.ID), match.Template
	}
	for i, id := range ids {
		final := m.Resolve(id)
		out.resolved.group[i], out.resolved.template[i] = text(final), out.emitted.template[i]
		if info, ok := m.Lookup(final); ok {
			out.resolved.template[i] = info.Template
		}
	}
	return out
}
