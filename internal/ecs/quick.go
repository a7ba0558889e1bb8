// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ecs

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

const (
	quickDepth  = 8    // of lists and what is in them
	quickGroups = 64   // objects of one event
	quickNames  = 4096 // that are remembered
	quickName   = 256  // bytes of a name that is remembered
	quickFields = 128  // of an event that is kept for the next
)

// quick reads an event in one pass, straight into its fields. It knows only what
// events mostly are, and gives up where anything is unusual: wrong JSON, deep
// nesting, escapes in names, or one name twice. Parse's other way then decides.
type quick struct {
	text   string
	at     int
	name   []byte // of the field that is read
	fields Fields
	groups []string // names of the objects so far
	names  map[string]string
}

// quicks keep the names between events: senders use the same ones over and over.
var quicks = sync.Pool{New: func() any { return &quick{names: map[string]string{}} }}

// parseQuick returns nil if it gave up. The texts in the fields are parts of one copy of content.
func parseQuick(content []byte) Fields {
	q := quicks.Get().(*quick)
	fields := used.Get().(Fields)
	q.text, q.at, q.name, q.groups, q.fields = string(content), 0, q.name[:0], q.groups[:0], fields
	q.skip()
	ok := q.take('{') && q.object(1)
	q.skip()
	ok = ok && q.at == len(q.text)
	q.text, q.fields = "", nil
	clear(q.groups)
	quicks.Put(q)
	if !ok {
		recycle(fields)
		return nil
	}
	return fields
}

// used are the fields of events that are used up, without anything in them.
var used = sync.Pool{New: func() any { return Fields{} }}

// recycle keeps an event that is used up for the next one, unless it was unusually large.
func recycle(event Fields) {
	if len(event) <= quickFields {
		clear(event)
		used.Put(event)
	}
}

func (q *quick) skip() {
	for q.at < len(q.text) && strings.IndexByte(" \t\r\n", q.text[q.at]) >= 0 {
		q.at++
	}
}

func (q *quick) take(c byte) bool {
	if q.at < len(q.text) && q.text[q.at] == c {
		q.at++
		return true
	}
	return false
}

// object reads the fields of an object, behind its brace.
func (q *quick) object(depth int) bool {
	q.skip()
	if q.take('}') {
		return true
	}
	for {
		key, ok := q.key()
		if !ok {
			return false
		}
		base := len(q.name)
		q.name = append(q.name, key...)
		ok = q.field(depth)
		q.name = q.name[:base]
		q.skip()
		switch {
		case !ok:
			return false
		case q.take('}'):
			return true
		case !q.take(','):
			return false
		}
		q.skip()
	}
}

// key reads a name and its colon.
func (q *quick) key() (string, bool) {
	if q.at == len(q.text) || q.text[q.at] != '"' {
		return "", false
	}
	start := q.at
	key, ok := q.string()
	if !ok || len(key) != q.at-start-2 { // It has escapes.
		return "", false
	}
	q.skip()
	ok = q.take(':')
	q.skip()
	return key, ok
}

// field reads a value under its name: an object's fields, or a leaf.
func (q *quick) field(depth int) bool {
	name := q.interned()
	if slices.Contains(q.groups, name) {
		return false
	}
	var value any
	ok := true
	if q.take('{') {
		q.skip()
		if !q.take('}') {
			if _, twice := q.fields[name]; twice || depth >= flattenDepth || len(q.groups) == quickGroups {
				return false
			}
			q.groups = append(q.groups, name)
			q.name = append(q.name, '.')
			return q.object(depth + 1)
		}
		value = map[string]any{}
	} else {
		value, ok = q.value(1)
	}
	before := len(q.fields)
	q.fields[name] = value
	return ok && len(q.fields) > before
}

// interned is the name that is read, kept for the next event.
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

func (q *quick) value(depth int) (any, bool) {
	if q.at == len(q.text) || depth > quickDepth {
		return nil, false
	}
	switch c := q.text[q.at]; c {
	case '"':
		return q.string()
	case 't':
		return true, q.word("true")
	case 'f':
		return false, q.word("false")
	case 'n':
		return nil, q.word("null")
	case '[':
		q.at++
		return q.list(depth)
	case '{':
		q.at++
		return q.inner(depth)
	default:
		return q.number()
	}
}

func (q *quick) word(w string) bool {
	ok := strings.HasPrefix(q.text[q.at:], w)
	q.at += len(w)
	return ok
}

func (q *quick) list(depth int) (any, bool) {
	values := []any{}
	q.skip()
	if q.take(']') {
		return values, true
	}
	for {
		v, ok := q.value(depth + 1)
		values = append(values, v)
		q.skip()
		switch {
		case !ok:
			return nil, false
		case q.take(']'):
			return values, true
		case !q.take(','):
			return nil, false
		}
		q.skip()
	}
}

// inner reads an object that stays one, since it is in a list.
func (q *quick) inner(depth int) (any, bool) {
	object := map[string]any{}
	q.skip()
	if q.take('}') {
		return object, true
	}
	for {
		key, ok := q.key()
		if !ok {
			return nil, false
		}
		object[key], ok = q.value(depth + 1)
		q.skip()
		switch {
		case !ok:
			return nil, false
		case q.take('}'):
			return object, true
		case !q.take(','):
			return nil, false
		}
		q.skip()
	}
}

// string reads a text, its quotes included.
func (q *quick) string() (string, bool) {
	start, escaped, ascii := q.at, false, true
	for q.at++; q.at < len(q.text); q.at++ {
		switch c := q.text[q.at]; {
		case c == '"':
			q.at++
			inner := q.text[start+1 : q.at-1]
			if !escaped {
				return inner, ascii || utf8.ValidString(inner)
			}
			var s string
			err := json.Unmarshal([]byte(q.text[start:q.at]), &s)
			return s, err == nil
		case c == '\\':
			escaped = true
			q.at++
		case c < ' ':
			return "", false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return "", false
}

func (q *quick) number() (any, bool) {
	start := q.at
	negative := q.take('-')
	first := q.at
	whole, ok := q.digits()
	if !ok || q.at-first > 1 && q.text[first] == '0' {
		return nil, false
	}
	integer := q.at-first <= 18
	if q.take('.') {
		integer = false
		if _, ok := q.digits(); !ok {
			return nil, false
		}
	}
	if q.take('e') || q.take('E') {
		integer = false
		if !q.take('+') {
			q.take('-')
		}
		if _, ok := q.digits(); !ok {
			return nil, false
		}
	}
	switch {
	case !integer:
		return number(json.Number(q.text[start:q.at])), true
	case negative:
		return -whole, true
	}
	return whole, true
}

// digits reads at least one; their value means something for at most 18.
func (q *quick) digits() (value int64, ok bool) {
	start := q.at
	for q.at < len(q.text) && '0' <= q.text[q.at] && q.text[q.at] <= '9' {
		value = value*10 + int64(q.text[q.at]-'0')
		q.at++
	}
	return value, q.at > start
}
