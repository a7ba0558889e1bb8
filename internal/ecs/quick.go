// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ecs

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// escape may begin a surrogate, which the library accepts as text.
var escape = []byte(`\u`)

const (
	quickGroups = 64   // maximum number of objects in an event
	quickNames  = 4096 // maximum number of remembered names
	quickName   = 256  // maximum size of a remembered name
	quickFields = 128  // maximum number of fields of a reused event

	// quickBytes bounds the event whose parser is reused. A parser keeps the memory for the
	// values of its largest event.
	quickBytes = 64 << 10
)

// quick parses typical events. It returns nil for anything unusual, such as invalid JSON or text,
// deep nesting, or duplicate names, which Parse then handles.
type quick struct {
	parser fastjson.Parser
	name   []byte // of the current field
	fields Fields
	groups []string // names of the enclosing objects
	names  map[string]string
	failed bool
}

// quicks keeps names between events, because clients repeat them.
var quicks = sync.Pool{New: func() any { return &quick{names: map[string]string{}} }}

// used holds emptied events for reuse.
var used = sync.Pool{New: func() any { return Fields{} }}

// recycle empties an event for reuse, unless it is unusually large.
func recycle(event Fields) {
	if len(event) <= quickFields {
		clear(event)
		used.Put(event)
	}
}

// parseQuick returns nil if the event is unusual.
func parseQuick(content []byte) Fields {
	if !utf8.Valid(content) || bytes.Contains(content, escape) || !json.Valid(content) {
		return nil
	}
	q := quicks.Get().(*quick)
	if len(content) <= quickBytes {
		defer quicks.Put(q)
	}
	fields := used.Get().(Fields)
	q.fields, q.groups, q.name, q.failed = fields, q.groups[:0], q.name[:0], false
	v, err := q.parser.ParseBytes(content)
	if err != nil || v.Type() != fastjson.TypeObject {
		q.failed = true
	} else {
		q.object(v.GetObject(), 1)
	}
	q.fields = nil
	if q.failed {
		recycle(fields)
		return nil
	}
	return fields
}

// object adds the fields of an object.
func (q *quick) object(o *fastjson.Object, depth int) {
	o.Visit(func(key []byte, v *fastjson.Value) {
		base := len(q.name)
		q.name = append(q.name, key...)
		name := q.interned()
		_, twice := q.fields[name]
		inner := v.Type() == fastjson.TypeObject && v.GetObject().Len() > 0
		switch {
		case q.failed:
		case twice || slices.Contains(q.groups, name) || inner && (depth >= flattenDepth || len(name) > flattenBytes || len(q.groups) == quickGroups):
			q.failed = true
		case inner:
			q.groups = append(q.groups, name)
			q.name = append(q.name, '.')
			q.object(v.GetObject(), depth+1)
		default:
			q.fields[name] = q.value(v, 1)
		}
		q.name = q.name[:base]
	})
}

// interned returns the current name, remembered for later events.
func (q *quick) interned() string {
	if name, ok := q.names[string(q.name)]; ok {
		return name
	}
	name := string(q.name)
	if len(name) > quickName {
		return name
	}
	if len(q.names) == quickNames {
		clear(q.names)
	}
	q.names[name] = name
	return name
}

func (q *quick) value(v *fastjson.Value, depth int) any {
	switch v.Type() {
	case fastjson.TypeString:
		return string(v.GetStringBytes())
	case fastjson.TypeTrue:
		return true
	case fastjson.TypeFalse:
		return false
	case fastjson.TypeNumber:
		if i, err := v.Int64(); err == nil {
			return i
		}
		return number(json.Number(v.MarshalTo(nil)))
	case fastjson.TypeArray:
		if depth >= valueDepth {
			q.failed = true
			return nil
		}
		list := []any{}
		for _, one := range v.GetArray() {
			list = append(list, q.value(one, depth+1))
		}
		return list
	case fastjson.TypeObject:
		if depth >= valueDepth {
			q.failed = true
			return nil
		}
		object := map[string]any{}
		v.GetObject().Visit(func(key []byte, one *fastjson.Value) {
			before := len(object)
			object[string(key)] = q.value(one, depth+1)
			q.failed = q.failed || len(object) == before
		})
		return object
	default:
		return nil
	}
}
