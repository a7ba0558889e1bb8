// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/ecs"
)

// An attribute whose field name is taken is written below one of these names, depending on its
// origin: record, scope, or resource.
const (
	aside         = "attributes."
	asideScope    = "scope.attributes."
	asideResource = "resource.attributes."
)

// The prefixes of the common fields of a document.
const (
	timeField   = "@timestamp"
	streamField = "data_stream"
)

// fields maps dotted names to the fields of a document.
type fields map[string]field

// field is a value, or the JSON of one.
type field struct {
	value pcommon.Value
	json  []byte
	fixed bool   // no attribute can take its name, or a name within it
	aside string // the alternative name if its own is taken; if "", the field is then omitted
}

// equals reports whether both have the same value, so that one of them is sufficient.
func (f field) equals(other field) bool {
	return f.json == nil && other.json == nil && f.value != (pcommon.Value{}) && other.value != (pcommon.Value{}) && f.value.Equal(other.value)
}

// fix adds a field that is not an attribute. An existing fixed field is kept.
func (f fields) fix(name string, v field) {
	if _, taken := f[name]; !taken {
		v.fixed = true
		f[name] = v
	}
}

func (f fields) put(name string, v pcommon.Value) { f.fix(name, field{value: v}) }

func (f fields) text(name, s string) {
	if s != "" {
		f.put(name, pcommon.NewValueStr(s))
	}
}

// taken reports whether a name is not available for an attribute: another field has it, or it is
// within a field that must remain a value.
func (f fields) taken(name string) bool {
	if _, ok := f[name]; ok {
		return true
	}
	for i := range len(name) {
		if name[i] == '.' && f[name[:i]].fixed {
			return true
		}
	}
	return false
}

// claim adds a field that is not fixed. If another value has the name, it appends the field to
// losers.
func (f fields) claim(losers []field, name string, v field) []field {
	switch {
	case !f.taken(name):
		f[name] = v
	case v.aside != "" && !f[name].equals(v):
		losers = append(losers, v)
	}
	return losers
}

// settle adds fields under their alternative names, after all others have their names.
func (f fields) settle(losers []field) {
	for _, v := range losers {
		name := v.aside
		for f.taken(name) && !f[name].equals(v) {
			name = aside + name
		}
		f[name] = v
	}
}

// merge adds the fields that documents share.
func (f fields) merge(shared fields) {
	var losers []field
	for name, v := range shared {
		losers = f.claim(losers, name, v)
	}
	slices.SortFunc(losers, func(a, b field) int { return strings.Compare(a.aside, b.aside) })
	f.settle(losers)
}

// attributes adds attributes under their names in the Elastic Common Schema.
func (f fields) attributes(asideBelow string, m pcommon.Map) {
	var losers []field
	flatten("", m, func(key string, v pcommon.Value) {
		if steers(key) {
			return
		}
		name, ok := ecsNames[key]
		if !ok {
			name = key
		}
		losers = f.claim(losers, name, field{value: v, aside: asideBelow + key})
	})
	f.settle(losers)
}

// originals adds the attributes of a record that was an ECS document, under their original names.
// It omits the attribute except.
func (f fields) originals(asideBelow string, m pcommon.Map, asIs map[string]bool, except string) {
	var losers []field
	flatten("", m, func(key string, v pcommon.Value) {
		name := ecs.Original(key)
		if asIs[key] {
			name = key
		} else if ecs.Steers(name) {
			return
		}
		if except == "" || key != except {
			losers = f.claim(losers, name, field{value: v, aside: asideBelow + key})
		}
	})
	f.settle(losers)
}

// flatten calls do for every value that is not a map, with a dotted name. Elasticsearch rejects
// names with an empty part, so an empty part becomes "_".
func flatten(prefix string, m pcommon.Map, do func(key string, v pcommon.Value)) {
	for k, v := range m.All() {
		if v.Type() == pcommon.ValueTypeMap && v.Map().Len() > 0 {
			flatten(prefix+k+".", v.Map(), do)
			continue
		}
		do(filled(prefix+k), v)
	}
}

// filled returns a name without blank parts between the dots.
func filled(name string) string {
	blank := true
	for i := range len(name) {
		switch {
		case name[i] != '.':
			blank = blank && (name[i] == ' ' || name[i] < ' ')
		case blank:
			return fill(name)
		default:
			blank = true
		}
	}
	if blank {
		return fill(name)
	}
	return name
}

func fill(name string) string {
	parts := strings.Split(name, ".")
	for i, p := range parts {
		if strings.TrimSpace(p) == "" {
			parts[i] = "_"
		}
	}
	return strings.Join(parts, ".")
}

// nest writes fields as nested objects. If a field's name is a prefix of another's, as in a and
// a.b, the first becomes a.value, because no document can contain both.
func (w *writer) nest(f fields) {
	names := slices.SortedFunc(maps.Keys(f), compareNames)
	var path []string
	for i, name := range names {
		parts := strings.Split(name, ".")
		if i+1 < len(names) && strings.HasPrefix(names[i+1], name+".") {
			parts = append(parts, inside(name, names))
		}
		last := len(parts) - 1
		path = w.enter(path, parts[:last])
		w.key(parts[last])
		if v := f[name]; v.json != nil {
			w.raw(v.json)
		} else {
			w.value(v.value)
		}
	}
	w.enter(path, nil)
}

// inside returns the name for a value within the object of the same name: value, with as many _
// as make it unique.
func inside(name string, names []string) string {
	key := "value"
	for {
		full := name + "." + key
		i, taken := slices.BinarySearchFunc(names, full, compareNames)
		if !taken && (i == len(names) || !strings.HasPrefix(names[i], full+".")) {
			return key
		}
		key += "_"
	}
}

// enter closes and opens objects to move from one path to another.
func (w *writer) enter(from, to []string) []string {
	shared := 0
	for shared < min(len(from), len(to)) && from[shared] == to[shared] {
		shared++
	}
	for range from[shared:] {
		w.close('}')
	}
	for _, p := range to[shared:] {
		w.object(p)
	}
	return to
}

// compareNames orders by the parts between the dots, so that the fields of one object are
// neighbors.
func compareNames(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		switch {
		case a[i] == '.':
			return -1
		case b[i] == '.':
			return 1
		}
		return cmp.Compare(a[i], b[i])
	}
	return cmp.Compare(len(a), len(b))
}
