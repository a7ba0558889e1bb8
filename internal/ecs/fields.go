// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ecs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

const (
	// flattenDepth is the depth up to which objects become dotted names. Deeper ones stay
	// objects, because the size of names would grow with the square of the depth.
	flattenDepth = 16
	// flattenBytes bounds the prefix in bytes for the names of an object's fields. Below a longer
	// one they stay an object: a prefix of 1 MiB for each of 10,000 fields would need 10 GiB.
	flattenBytes = 256
	// valueDepth is the depth up to which lists and objects are kept. Deeper ones become JSON
	// text, which every backend accepts.
	valueDepth = 32
)

var errNotObject = errors.New("is not a JSON object")

// Fields maps dotted names to the leaves of an event.
type Fields map[string]any

// Parse parses an event in JSON. The result does not reference content.
func Parse(content []byte) (Fields, error) {
	if f := parseQuick(content); f != nil {
		return f, nil
	}
	return parseAny(content)
}

// parseAny parses any JSON, and returns an error with the fault.
func parseAny(content []byte) (Fields, error) {
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.UseNumber()
	var event any
	if err := dec.Decode(&event); err != nil {
		return nil, fmt.Errorf("is not JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("is not JSON: text follows its end")
	}
	object, ok := event.(map[string]any)
	if !ok {
		return nil, errNotObject
	}
	f := make(Fields, 4*len(object))
	f.flatten("", object, 1)
	return f, nil
}

// flatten adds an object's leaves. A duplicate name ({"a.b": 1, "a": {"b": 2}}) keeps both
// values, as a list.
func (f Fields) flatten(prefix string, object map[string]any, depth int) {
	// Only a key with a dot can duplicate a name; then the order matters.
	if dotted(object) {
		for _, key := range slices.Sorted(maps.Keys(object)) {
			f.put(prefix+key, object[key], depth)
		}
		return
	}
	for key, value := range object {
		f.put(prefix+key, value, depth)
	}
}

func dotted(object map[string]any) bool {
	for key := range object {
		if strings.IndexByte(key, '.') >= 0 {
			return true
		}
	}
	return false
}

func (f Fields) put(name string, value any, depth int) {
	if inner, ok := value.(map[string]any); ok && len(inner) > 0 && depth < flattenDepth && len(name) <= flattenBytes {
		f.flatten(name+".", inner, depth+1)
		return
	}
	value = plain(value, 1)
	if first, twice := f[name]; twice {
		value = []any{first, value}
	}
	f[name] = value
}

// plain converts a value of the JSON decoder to one that pdata accepts.
func plain(value any, depth int) any {
	switch v := value.(type) {
	case json.Number:
		return number(v)
	case []any:
		if depth >= valueDepth {
			return asText(v)
		}
		for i := range v {
			v[i] = plain(v[i], depth+1)
		}
	case map[string]any:
		if depth >= valueDepth {
			return asText(v)
		}
		for k := range v {
			v[k] = plain(v[k], depth+1)
		}
	}
	return value
}

// number returns an integer as int64 if possible, and as text a number that exceeds 64 bits.
func number(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return i
	}
	if strings.Trim(n.String(), "-0123456789") == "" {
		return n.String()
	}
	d, err := n.Float64()
	if err != nil {
		return n.String()
	}
	return d
}

func asText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// take removes a field and returns its value.
func (f Fields) take(name string) any {
	v := f[name]
	delete(f, name)
	return v
}

// Text returns the value of a field if it is a non-empty text, else "".
func (f Fields) Text(name string) string {
	s, _ := f[name].(string)
	return s
}
