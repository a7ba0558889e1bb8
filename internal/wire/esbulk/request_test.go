// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package esbulk

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var small = Limits{Line: 100, Items: 10, Depth: 4, Values: 20}

// memory limits the memory of a reader; without a limit it grants all.
type memory struct{ limit, used int }

func (m *memory) Reserve(n int) error {
	if m.limit > 0 && m.used+n > m.limit {
		return errNoMemory
	}
	m.used += n
	return nil
}

func (m *memory) Release(n int) { m.used -= n }

var errNoMemory = errors.New("no memory")

// read returns the items of a request as text, one per item.
func read(r io.Reader, def Action) (items []string, err error) {
	err = ReadRequest(r, small, &memory{}, def, func(i Item) error {
		text := string(i.Op) + " " + i.Index + "/" + i.ID + "|" + i.Pipeline + " " + string(i.Document)
		if i.Problem != nil {
			text += " !" + string(i.Problem.Reason)
		}
		items = append(items, text)
		return nil
	})
	return items, err
}

func TestReadRequest(t *testing.T) {
	for name, c := range map[string]struct {
		body  string
		items []string
		fails Reason
	}{
		"operations": {
			body:  `{"index":{"_index":"i","_id":"1"}}` + "\n{}\n" + `{"delete":{"_index":"i","_id":"2"}}` + "\n" + `{"create":{}}` + "\n" + `{"a":1}` + "\n",
			items: []string{"index i/1|q {}", "delete i/2|q  !delete", "create def/|q {\"a\":1}"},
		},
		"ends of lines of Windows, and empty lines": {body: "\r\n{\"index\":{}}\r\n{}\r\n\n", items: []string{"index def/|q {}"}},
		"an own pipeline, and none":                 {body: "{\"index\":{\"pipeline\":\"p\"}}\n{}\n{\"index\":{\"pipeline\":\"\"}}\n{}\n", items: []string{"index def/|p {}", "index def/| {}"}},
		"parameters that are ignored":               {body: `{"index":{"_type":"_doc","routing":"r","require_alias":true}}` + "\n{}\n", items: []string{"index def/|q {}"}},
		"a long line": {
			body:  "{\"index\":{}}\n{\"a\":\"" + strings.Repeat("x", 200_000) + "\"}\n{\"index\":{}}\n{}\n",
			items: []string{"index def/|q {\"a\":\"" + strings.Repeat("x", 94) + " !event_size", "index def/|q {}"},
		},
		"as long as permitted": {body: "{\"index\":{}}\n{" + strings.Repeat(" ", 98) + "}\n", items: []string{"index def/|q {" + strings.Repeat(" ", 98) + "}"}},
		"deep":                 {body: "{\"index\":{}}\n{\"a\":[[[[]]]]}\n{\"index\":{}}\n{\"a\":[[\"[[[\\\"[[\"]]}\n", items: []string{"index def/|q {\"a\":[[[[]]]]} !depth", "index def/|q {\"a\":[[\"[[[\\\"[[\"]]}"}},
		"no object":            {body: "{\"index\":{}}\n7\n{\"index\":{}}\n\n", items: []string{"index def/|q 7 !not_json", "index def/|q  !not_json"}},
		"no UTF-8":             {body: "{\"index\":{}}\n{\"\xff\":1}\n", items: []string{"index def/|q {\"\xff\":1} !utf8"}},
		"nothing":              {body: "\n\n", fails: ReasonEmpty},
		"cut":                  {body: "{\"index\":{}}\n{}", fails: ReasonTruncated},
		"no document":          {body: "{\"index\":{}}\n", fails: ReasonTruncated},
		"a long action":        {body: "{\"index\":{\"_id\":\"" + strings.Repeat("x", 100) + "\"}}\n{}\n", fails: ReasonAction},
		"a deep action":        {body: "{\"index\":{\"a\":[[[[[[[[]]]]]]]]}}\n{}\n", fails: ReasonAction},
		"scalars": {
			body:  `{"index":{"_index":7,"_id":1.50,"pipeline":null}}` + "\n{}\n" + `{"index":{"_id":true}}` + "\n{}\n" + `{"index":{"_id":null,"_index":null}}` + "\n{}\n" + `{"index":{"_id":"7"}}` + "\n{}\n",
			items: []string{"index 7/1.50|q {}", "index def/true|q {}", "index def/|q {}", "index def/7|q {}"},
		},
		"an id that is a list":       {body: "{\"index\":{\"_id\":[1]}}\n{}\n", fails: ReasonAction},
		"an index that is an object": {body: "{\"index\":{\"_index\":{}}}\n{}\n", fails: ReasonAction},
		"many values":                {body: "{\"index\":{}}\n{\"a\":[" + strings.Repeat("1,", 18) + "1]}\n{\"index\":{}}\n{}\n", items: []string{"index def/|q {\"a\":[" + strings.Repeat("1,", 18) + "1]} !values", "index def/|q {}"}},
		"many":                       {body: strings.Repeat("{\"index\":{}}\n{}\n", 11), fails: ReasonItems},
	} {
		for how, r := range map[string]io.Reader{"at once": strings.NewReader(c.body), "byte by byte": iotest.OneByteReader(strings.NewReader(c.body))} {
			items, err := read(r, Action{Index: "def", Pipeline: "q"})
			if c.fails != "" {
				var fault *Error
				require.ErrorAs(t, err, &fault, "%s %s", name, how)
				assert.Equal(t, c.fails, fault.Reason, name)
				continue
			}
			require.NoError(t, err, name)
			assert.Equal(t, c.items, items, "%s %s", name, how)
		}
	}
}

func TestReadRequestReturnsErrors(t *testing.T) {
	broken := errors.New("broken")
	_, err := read(io.MultiReader(strings.NewReader("{\"index\":{}}\n"), iotest.ErrReader(broken)), Action{})
	require.ErrorIs(t, err, broken)
	require.ErrorIs(t, ReadRequest(strings.NewReader("{\"index\":{}}\n{}\n"), small, &memory{}, Action{}, func(Item) error { return broken }), broken)
}

func TestLongNames(t *testing.T) {
	limits := small
	limits.Line = 2000
	body := `{"index":{"_index":"` + strings.Repeat("i", 256) + `"}}` + "\n{}\n" + `{"index":{"_index":"i","_id":"` + strings.Repeat("x", 513) + `"}}` + "\n{}\n" +
		`{"index":{"_index":"` + strings.Repeat("i", 255) + `","_id":"` + strings.Repeat("x", 512) + `"}}` + "\n{}\n"
	var problems []string
	require.NoError(t, ReadRequest(strings.NewReader(body), limits, &memory{}, Action{}, func(i Item) error {
		problem := ""
		if i.Problem != nil {
			problem = i.Problem.Text
		}
		problems = append(problems, problem)
		assert.LessOrEqual(t, len(i.Index), 255)
		assert.LessOrEqual(t, len(i.ID), 512)
		return nil
	}))
	assert.Equal(t, []string{"the index name has 256 bytes, the limit is 255", "the id has 513 bytes, the limit is 512", ""}, problems)
}

// A document for which memory is missing is skipped, and the others are read.
func TestNoMemoryForADocument(t *testing.T) {
	limits := small
	limits.Line = 1 << 20
	m := &memory{limit: 100 << 10}
	long := `{"a":"` + strings.Repeat("x", 200<<10) + `"}`
	fits := `{"a":"` + strings.Repeat("x", 90<<10) + `"}`
	var got []string
	err := ReadRequest(strings.NewReader("{\"index\":{}}\n"+long+"\n{\"index\":{}}\n"+fits+"\n{\"index\":{}}\n{}\n"), limits, m, Action{Index: "i"}, func(i Item) error {
		if i.Problem != nil {
			got = append(got, string(i.Problem.Reason))
		} else {
			got = append(got, string(i.Document))
		}
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"memory", fits, "{}"}, got)
	assert.Zero(t, m.used)
	err = ReadRequest(strings.NewReader(`{"index":{"_id":"`+strings.Repeat("x", 200<<10)+"\"}}\n{}\n"), limits, m, Action{Index: "i"}, func(Item) error { return nil })
	require.ErrorIs(t, err, errNoMemory)
	assert.Zero(t, m.used)
}

// selection parses a filter_path within the limit.
func selection(t testing.TB, filterPath string) Selection {
	t.Helper()
	s, err := Select(filterPath)
	require.NoError(t, err)
	return s
}

// The number of steps is bounded. Wildcard patterns could otherwise take minutes.
func TestSelectionTakesLittleTime(t *testing.T) {
	began := time.Now()
	for _, pattern := range []string{"**.", "*a.", "*a*b", "**.a.", "*"} {
		s := selection(t, strings.Repeat(pattern, maxFilter/len(pattern)-1)+"x")
		for range 100 {
			assert.False(t, s.Keep("items", "index", "error", strings.Repeat("a", 100)))
		}
	}
	assert.Less(t, time.Since(began), 10*time.Second)
	_, err := Select(strings.Repeat("*", maxFilter+1))
	require.EqualError(t, err, "filter_path has 4097 bytes, the limit is 4096")
}

func TestPartial(t *testing.T) {
	for update, want := range map[string]string{
		`{"doc":{"a":1},"upsert":{"b":2}}`: `{"a":1}`,
		`{"upsert":{"b":2}}`:               `{"b":2}`,
		`{"script":"x","upsert":{}}`:       "!action",
		`{}`:                               "!action",
		`{"doc":`:                          "!not_json",
	} {
		doc, problem := Partial([]byte(update))
		got := string(doc)
		if problem != nil {
			got = "!" + string(problem.Reason)
		}
		assert.Equal(t, want, got, update)
	}
}

func TestSelection(t *testing.T) {
	for _, c := range []struct {
		filter, name string
		keep         bool
	}{
		{"", "took", true},
		{"errors", "took", false},
		{"items.*.status", "items.index.status", true},
		{"items.*.status", "items.index.error.type", false},
		{"items.*.error", "items.index.error.type", true},
		{"items", "items.index._id", true},
		{"**.type", "items.index.error.type", true},
		{"it*.cre*te.status", "items.create.status", true},
		{"it*.cre?te.status", "items.create.status", false},
		{"**", "took", true},
		{"**.items.**.type", "items.index.error.type", true},
		{"**.**.x", "items.index.error.type", false},
		{"*.*.*.*.*", "items.index.error.type", false},
		{"*t*m*", "items.index", true},
		{"items.ind", "items.index", false},
		{"-took", "took", false},
		{"-took", "errors", true},
		{"items,-items.*.error.reason", "items.index.error.reason", false},
		{"[", "took", false},
	} {
		assert.Equal(t, c.keep, selection(t, c.filter).Keep(strings.Split(c.name, ".")...), "%q of %q", c.name, c.filter)
	}
	assert.Equal(t, map[string]any{"a": map[string]any{"b": 1}}, selection(t, "a.b").Of(map[string]any{"a": map[string]any{"b": 1, "c": 2}, "d": 3}))
	assert.Equal(t, map[string]any{}, selection(t, "x").Of(map[string]any{"a": 1}))
}

// The client of this package reads the answers of its server.
func TestAnswerIsRead(t *testing.T) {
	outcomes := []Outcome{
		{Op: Create, Index: "i", ID: "1", Result: Result{Status: 201}},
		{Op: Index, Index: "i\"", Result: Result{Status: 429, Type: "busy", Reason: "\"later\""}},
		{Op: Update, Index: "i", ID: "2", Result: Result{Status: 200}},
		{Op: Delete, Index: "i", ID: "3", Result: Result{Status: 400, Type: "t", Reason: "r"}},
	}
	for _, filter := range []string{"", strings.Join(Filter, ",")} {
		text := NewAnswer(selection(t, filter)).Append(nil, 7, outcomes)
		require.True(t, json.Valid(text), "%s", text)
		got, err := ReadResponse(bytes.NewReader(text), len(outcomes))
		require.NoError(t, err)
		for i, o := range outcomes {
			assert.Equal(t, o.Result, got[i])
		}
	}
	assert.JSONEq(t, `{"errors":true,"items":[{"index":{"status":429}},{"update":{"status":200}}]}`,
		string(NewAnswer(selection(t, "errors,items.index.status,items.update.status")).Append(nil, 0, outcomes)))
	assert.JSONEq(t, `{"errors":false,"took":1,"items":[]}`, string(NewAnswer(Selection{}).Append(nil, 1, nil)))
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte("{\"index\":{\"_index\":\"i\",\"_id\":\"1\"}}\n{\"a\":1}\n{\"delete\":{\"_index\":\"i\"}}\n"), "errors,items.*.status")
	f.Add([]byte("\r\n{\"update\":{\"_index\":\"i\"}}\r\n{\"doc\":{\"a\":[[\"\\\"[\"]]}}\r\n"), "-took")
	f.Add([]byte("{\"create\":{}}\n\xff\n"), "**.type,items.*")
	f.Fuzz(func(t *testing.T, body []byte, filter string) {
		var outcomes []Outcome
		err := ReadRequest(bytes.NewReader(body), small, &memory{}, Action{Index: "d"}, func(i Item) error {
			require.Contains(t, []Op{Create, Index, Update, Delete}, i.Op)
			require.LessOrEqual(t, len(i.Document), small.Line)
			result := Result{Status: 201}
			if i.Problem != nil {
				result = Result{Status: 400, Type: "t", Reason: i.Problem.Text}
			} else {
				require.True(t, utf8.Valid(i.Document))
				require.NotEmpty(t, i.Index)
				if i.Op == Update {
					_, _ = Partial(i.Document)
				}
			}
			outcomes = append(outcomes, Outcome{Op: i.Op, Index: i.Index, ID: i.ID, Result: result})
			return nil
		})
		require.LessOrEqual(t, len(outcomes), small.Items)
		if err != nil {
			var fault *Error
			require.ErrorAs(t, err, &fault, "the reader itself does not fail")
			return
		}
		text := NewAnswer(Selection{}).Append(nil, 1, outcomes)
		got, err := ReadResponse(bytes.NewReader(text), len(outcomes))
		require.NoError(t, err, "%s", text)
		require.Len(t, got, len(outcomes))
		if s, err := Select(filter); err == nil {
			require.True(t, json.Valid(NewAnswer(s).Append(nil, 1, outcomes)), filter)
		}
	})
}

func BenchmarkReadRequest(b *testing.B) {
	body := bytes.Repeat([]byte(`{"create":{"_index":"logs-app-default"}}`+"\n"+`{"@timestamp":"2026-05-04T12:00:00.123Z","message":"GET /cart 200","host":{"name":"web-1"}}`+"\n"), 1000)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := ReadRequest(bytes.NewReader(body), Limits{Line: 1 << 20, Items: 1 << 20, Depth: 32, Values: 100}, &memory{}, Action{}, func(Item) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
