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

// An attribute whose field is taken is written aside, below one of these names by
// where it comes from: a record, its scope, or its resource.
const (
	aside         = "attributes."
	asideScope    = "scope.attributes."
	asideResource = "resource.attributes."
)

// The fields that a document begins with.
const (
	timeField   = "@timestamp"
	streamField = "data_stream"
)

// fields are the fields of a document under their dotted names.
type fields map[string]field

// field is a value, or JSON that stands for one.
type field struct {
	value pcommon.Value
	json  []byte
	fixed bool   // no attribute can take its name, or one within it
	aside string // the name that it gets if its own is taken, "" if it is then left out
}

// equals tells whether both have the same value, so that one of them says it all.
func (f field) equals(other field) bool {
	return f.json == nil && other.json == nil && f.value != (pcommon.Value{}) && other.value != (pcommon.Value{}) && f.value.Equal(other.value)
}

// fix adds a field that is no attribute. What is fixed first stays.
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

// taken tells whether an attribute can't have a name: another field has it, or it
// lies within a field that must remain a value.
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

// claim adds a field that is not fixed. If its name is taken by another value, it appends it to losers.
func (f fields) claim(losers []field, name string, v field) []field {
	switch {
	case !f.taken(name):
		f[name] = v
	case v.aside != "" && !f[name].equals(v):
		losers = append(losers, v)
	}
	return losers
}

// settle adds fields aside, after all others have their names.
func (f fields) settle(losers []field) {
	for _, v := range losers {
		name := v.aside
		for f.taken(name) && !f[name].equals(v) {
			name = aside + name
		}
		f[name] = v
	}
}

// merge adds the fields that a document shares with others.
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

// originals adds attributes of what was a document in this schema, under the names
// that they had in it. It leaves out the attribute except.
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

// flatten calls do for every value that is not a map itself, with a dotted name.
// Elasticsearch takes no name with an empty part: that becomes "_".
func flatten(prefix string, m pcommon.Map, do func(key string, v pcommon.Value)) {
	for k, v := range m.All() {
		if v.Type() == pcommon.ValueTypeMap && v.Map().Len() > 0 {
			flatten(prefix+k+".", v.Map(), do)
			continue
		}
		do(filled(prefix+k), v)
	}
}

// filled returns a name in which no part between the dots is blank.
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

// nest writes fields as objects within objects. Where one field's name is the
// beginning of another's, as in a and a.b, the first becomes a.value: no
// document can hold both.
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

// inside returns a name within the object of a field's own name: value, or with as
// many _ as make it free.
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

// enter closes and opens objects, to come from one path to another.
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

// compareNames orders by the parts between the dots, so that the fields of one object are neighbors.
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
