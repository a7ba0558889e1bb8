// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package excerpt

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestOf(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"  \n\t":                 "",
		"plain":                  "plain",
		"  two\r\n\tlines  ":     "two lines",
		"\x1b[31mred\x00":        "\uFFFD[31mred\uFFFD",
		"bad \xff\xfe bytes":     "bad \uFFFD\uFFFD bytes",
		"größer als 1":           "größer als 1",
		strings.Repeat(" ", 9e3): "…",
	} {
		assert.Equal(t, want, Of(text), "%q", text)
		assert.Equal(t, want, Of([]byte(text)), "%q", text)
	}
}

func TestLongTextIsCutBetweenCharacters(t *testing.T) {
	for _, unit := range []string{"a", "ö", "日", "\U0001F600", "ab ", "\xff"} {
		got := Of(strings.Repeat(unit, 10_000))
		assert.True(t, strings.HasSuffix(got, "…"), unit)
		assert.True(t, utf8.ValidString(got), unit)
		assert.LessOrEqual(t, len(got), Max+len("…"), unit)
		assert.Greater(t, len(got), Max-8, unit)
	}
}
