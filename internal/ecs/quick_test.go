// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ecs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// oddEvents are parsed correctly by either parser.
var oddEvents = []string{
	`{}`, ` { } `, `[]`, `null`, `{"a":1}x`, `{"a":1}{}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{"a" : 1 , "b":[ ] }`, "", "{", `{"a`, `{"a":"`, `{"a":"\`,
	`{"a":1,"a":2}`, `{"a":{"x":1},"a":{"y":2}}`, `{"a":1,"a":{"y":2}}`, `{"a":{"y":2},"a":1}`, `{"a":{},"a":{"y":2}}`, `{"a":{"x":1},"a":{}}`,
	`{"a.b":1,"a":{"b":2}}`, `{"a":{"b":2},"a.b":1}`, `{"a.b":{"c":1},"a":{"b":{"d":2}}}`, `{"a.b":1,"a":{"b":{"c":2}}}`, `{"":{"a":1},".a":2}`, `{"":1}`,
	`{"a":0,"b":-0,"c":1.5,"d":1e3,"e":-2E-2,"f":123456789012345678,"g":1234567890123456789,"h":9223372036854775807,"i":9223372036854775808,"j":1e999,"k":0.1}`,
	`{"a":01}`, `{"a":-}`, `{"a":1.}`, `{"a":.5}`, `{"a":1e}`, `{"a":+1}`, `{"a":1e+}`, `{"a":NaN}`, `{"a":tru}`, `{"a":nul`, `{"a":true,"b":false,"c":null}`,
	`{"a":"\u00e9\n\"\\ \ud83c\udf0d"}`, `{"a\n":1}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", "{\"a\xff\":1}", "{\"a\":\"tab\there\"}", "{\"é\":\"日本\"}",
	`{"a":[1,"b",[2,{"c":{"d":[]},"c":3}],{}]}`, `{"a":[1,]}`, `{"a":[1 2]}`, `{"a":[}`, `{"a":[[[[[[[[[[1]]]]]]]]]]}`, `{"a":[{"x":1,"x":2}]}`, `{"a":[{"x\n":1}]}`,
	strings.Repeat(`{"k":`, 40) + "1" + strings.Repeat("}", 40), strings.Repeat(`{"k":`, 15) + `{"a":1,"b":{}}` + strings.Repeat("}", 15),
}

func compareWays(t *testing.T, content []byte) {
	t.Helper()
	want, wantErr := parseAny(content)
	got, err := Parse(content)
	if wantErr != nil {
		require.EqualError(t, err, wantErr.Error(), "%q", content)
		return
	}
	require.NoError(t, err, "%q", content)
	require.Equal(t, want, got, "%q", content)
}

// Both parsers return the same result.
func TestQuickAndAny(t *testing.T) {
	for _, event := range oddEvents {
		compareWays(t, []byte(event))
	}
	files, err := filepath.Glob(peertest.TestData(t, "events", "*.txtar"))
	require.NoError(t, err)
	quickly := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "{") {
				compareWays(t, []byte(line))
				if parseQuick([]byte(line)) != nil {
					quickly++
				}
			}
		}
	}
	assert.Greater(t, quickly, 20, "what senders really send is read quickly")
}

// A reused parser remembers only names.
func TestQuickRemembersNamesOnly(t *testing.T) {
	for range 3 {
		compareWays(t, []byte(`{"a":{"b":1},"c":"x"}`))
		compareWays(t, []byte(`{"a":2,"a.b":[{"a":1}]}`))
		compareWays(t, []byte(`{"a":{"b":`))
	}
}

// A consumed event leaves nothing in the next one, nor changes its records.
func TestUsedEventsLeaveNothing(t *testing.T) {
	b := NewBatch("scope", "1.0")
	for _, event := range []string{`{"message":"one","a":{"b":1},"host":{"name":"h"},"tags":["x",{"y":1}]}`, `{"message":"broken","a":{"b":2}`, `{"message":"two","c":true}`} {
		f, err := Parse([]byte(event))
		if err != nil {
			continue
		}
		b.AddLog(f, "", 1)
	}
	assert.Equal(t, `resource
  attribute host.name = string h
  record "one"
    attribute a.b = int64 1
    attribute tags = []interface {} [x map[y:1]]
resource
  record "two"
    attribute c = bool true
`, show(b.Logs))
}

func FuzzParse(f *testing.F) {
	for _, event := range oddEvents {
		f.Add([]byte(event))
	}
	f.Fuzz(func(t *testing.T, content []byte) { compareWays(t, content) })
}
