// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ecs

import (
	"slices"
	"strings"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// field is an attribute.
type field struct {
	name  string
	value any
}

// trait holds the properties of a field that follow from its name.
type trait struct {
	to         string // its name in the semantic conventions, "" if the same
	identifies bool   // it identifies the sender, unless it is a measurement
	asIs       bool   // other fields are or may be renamed to this name
}

// traits caches the traits of names in a batch, because its events share most names.
type traits map[string]trait

func (t traits) of(name string) trait {
	if known, ok := t[name]; ok {
		return known
	}
	found := trait{to: conventional(name), asIs: name == vocabulary.RecordUID || Original(name) != name}
	for _, prefix := range resourcePrefixes {
		found.identifies = found.identifies || strings.HasPrefix(name, prefix)
	}
	t[name] = found
	return found
}

// conventional returns the name of a field in the semantic conventions, or "".
func conventional(name string) string {
	if to, ok := renamed[name]; ok {
		return to
	}
	for _, p := range renamedPrefixes {
		if rest, ok := strings.CutPrefix(name, p[0]); ok {
			return p[1] + rest
		}
	}
	return ""
}

// split removes the resource fields from an event, sorted by name and valid until the next call,
// and renames the rest. asIs lists the fields that originally had a name to which others are
// renamed; without it the original names of the others would be lost.
func (b *Batch) split(event Fields) (resource []field, asIs []any) {
	if _, taken := event["host.name"]; !taken && event.Text("host") != "" {
		event["host.name"] = event["host"]
	}
	b.resource, b.moved, b.gone = b.resource[:0], b.moved[:0], b.gone[:0]
	for name, value := range event {
		t := b.traits.of(name)
		if t.asIs {
			asIs = append(asIs, name)
		}
		to := name
		if t.to != "" {
			if _, taken := event[t.to]; !taken {
				to = t.to
			}
		}
		switch {
		case t.identifies && !measures(value):
			b.resource = append(b.resource, field{to, value})
		case to != name:
			b.moved = append(b.moved, field{to, value})
		default:
			continue
		}
		b.gone = append(b.gone, name)
	}
	for _, name := range b.gone {
		delete(event, name)
	}
	for _, f := range b.moved {
		event[f.name] = f.value
	}
	slices.SortFunc(b.resource, func(x, y field) int { return strings.Compare(x.name, y.name) })
	slices.SortFunc(asIs, func(x, y any) int { return strings.Compare(x.(string), y.(string)) })
	return b.resource, asIs
}
