// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package conftree

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSection(t *testing.T) {
	leaf := map[string]any{"c": 1}
	conf := map[string]any{"a": map[string]any{"b": leaf, "empty": nil, "text": "x"}}
	assert.Equal(t, leaf, Section(conf, "a", "b"))
	assert.Equal(t, conf, Section(conf))
	for _, path := range [][]string{{"x"}, {"a", "empty"}, {"a", "text"}, {"a", "text", "y"}, {"x", "y"}} {
		assert.Nil(t, Section(conf, path...), path)
	}
	assert.Nil(t, Section(nil, "a"))
}

func TestKind(t *testing.T) {
	for _, id := range []string{"otlp", "otlp/a", "otlp/a/b", " otlp / a", "otlp /a"} {
		assert.Equal(t, "otlp", Kind(id), id)
	}
}
