// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ecs

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// originals maps attribute names to the original field names.
var originals = func() map[string]string {
	m := make(map[string]string, len(renamed))
	for from, to := range renamed {
		m[to] = from
	}
	return m
}()

// Original returns the field name of an attribute in its event, unless the event used the
// attribute's name.
func Original(name string) string {
	if from, ok := originals[name]; ok {
		return from
	}
	for _, p := range renamedPrefixes {
		if rest, ok := strings.CutPrefix(name, p[1]); ok {
			return p[0] + rest
		}
	}
	return name
}

// Steers reports whether a field, by the name from Original, routes the event and is not part of
// the document.
func Steers(field string) bool {
	switch field {
	case vocabulary.ElasticIndex, vocabulary.ElasticPipeline, vocabulary.ElasticAsIs, vocabulary.RecordUID:
		return true
	}
	return strings.HasPrefix(field, ecsMetadata)
}

// Marked reports whether the records of a scope were events of this schema.
func Marked(scope pcommon.InstrumentationScope) bool {
	v, ok := scope.Attributes().Get(vocabulary.ElasticSchema)
	return ok && v.AsString() == schema
}

// AsIs returns the attributes of a record that keep their names on the way back.
func AsIs(record pcommon.Map) map[string]bool {
	v, ok := record.Get(vocabulary.ElasticAsIs)
	if !ok || v.Type() != pcommon.ValueTypeSlice {
		return nil
	}
	names := make(map[string]bool, v.Slice().Len())
	for _, name := range v.Slice().All() {
		names[name.AsString()] = true
	}
	return names
}
