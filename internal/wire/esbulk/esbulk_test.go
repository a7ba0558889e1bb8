// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package esbulk

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAppendAction(t *testing.T) {
	for want, a := range map[string]Action{
		`{"create":{"_index":"logs-a-b"}}`:                                              {Op: Create, Index: "logs-a-b"},
		`{"create":{"_index":"l","_id":"1","pipeline":"p"}}`:                            {Op: Create, Index: "l", ID: "1", Pipeline: "p"},
		`{"create":{"_index":"l","require_data_stream":true}}`:                          {Op: Create, Index: "l", DataStream: true},
		`{"index":{"_index":"i","_id":"\"","version":7,"version_type":"external_gte"}}`: {Op: Index, Index: "i", ID: `"`, Version: 7},
	} {
		assert.Equal(t, want+"\n", string(AppendAction(nil, a)))
	}
}

func TestAppendString(t *testing.T) {
	for _, s := range []string{"", "plain", `a"b\c`, "line\nend\ttab\x00\x1f", "grüß 世界 🙂", "<&>", "\u2028", "\uFFFD", "\x7f"} {
		var back string
		require.NoError(t, json.Unmarshal(AppendString(nil, s), &back), "%q", s)
		assert.Equal(t, s, back)
	}
	assert.Equal(t, "\"a\uFFFDb\uFFFD\uFFFD\"", string(AppendString(nil, "a\xffb\xef\xbf")))
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\xef\xbf")
	f.Add("\xef\xbf\xbd\xed\xa0\x80")
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		require.NoError(t, json.Unmarshal(AppendString(nil, s), &back))
		assert.Equal(t, string([]rune(s)), back)
	})
}

func TestReadResponse(t *testing.T) {
	got, err := ReadResponse(strings.NewReader(`{"took":3,"errors":true,"items":[
		{"create":{"_id":"a","status":201}},
		{"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"exists"}}},
		{"index":{"status":400,"error":{"type":"document_parsing_exception","reason":"field n","caused_by":{"type":"x","reason":"not a number"}}}},
		{"update":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"full: full","caused_by":{"reason":"full"}}}}]}`), 4)
	require.NoError(t, err)
	assert.Equal(t, []Result{
		{Status: 201},
		{Status: 409, Type: "version_conflict_engine_exception", Reason: "exists"},
		{Status: 400, Type: "document_parsing_exception", Reason: "field n: not a number"},
		{Status: 429, Type: "es_rejected_execution_exception", Reason: "full: full"},
	}, got)
}

func TestReadResponseRefusesWhatDoesNotTell(t *testing.T) {
	for text, want := range map[string]string{
		`<html><body>Bad gateway</body></html>`:                   "it is not JSON",
		`{"errors":false,"items":[{"create":{"status":201}}`:      "it is not JSON",
		`{"errors":false,"items":[{"create":{"status":201}}]}`:    "2 actions were sent and 1 answered",
		`{"errors":false,"items":[{"create":{"status":201}},{}]}`: "item 1 names no operation",
		`{"errors":false,"items":[{"create":{}},{"create":{}}]}`:  "item 0 has the status 0",
		`{"items":[]}`:                      "it has no field errors",
		`{"acknowledged":true}`:             "it has no field errors",
		`[]`:                                "it is not JSON",
		`null`:                              "it has no field errors",
		``:                                  `: ""`,
		strings.Repeat("never ending ", 99): "…",
	} {
		_, err := ReadResponse(strings.NewReader(text), 2)
		require.ErrorIs(t, err, ErrAnswer)
		require.ErrorContains(t, err, want)
		assert.Less(t, len(err.Error()), 1200)
	}
	_, err := ReadResponse(io.MultiReader(strings.NewReader(`{"errors"`), iotest.ErrReader(errors.New("reset"))), 2)
	require.ErrorContains(t, err, "the connection broke after 9 bytes: reset")
}

func FuzzReadResponse(f *testing.F) {
	f.Add([]byte(`{"errors":true,"items":[{"create":{"status":201}},{"index":{"status":400,"error":{"type":"t","reason":"r"}}}]}`), 2)
	f.Add([]byte(`{"errors":false,"items":[{}]}`), 1)
	f.Fuzz(func(t *testing.T, text []byte, want int) {
		results, err := ReadResponse(strings.NewReader(string(text)), want)
		if err != nil {
			require.ErrorIs(t, err, ErrAnswer)
			return
		}
		require.Len(t, results, want)
		for _, r := range results {
			require.True(t, r.Status >= 100 && r.Status < 600)
		}
	})
}
