// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// words are the parts of random names: names of fields in documents, names that collide with
// them, and names that Elasticsearch rejects.
var words = []string{
	"a", "b", "message", "@timestamp", "value", "value_", "attributes", "resource", "scope", "name", "version", "host", "hostname", "log", "level",
	"exception", "error", "type", "event", "action", "duration", "span", "id", "trace", "unit", "data_stream", "metric", "", " ", "_",
}

// someAttributes adds random attributes with unique values to a map.
type someAttributes struct {
	random *rand.Rand
	n      int
}

func (s *someAttributes) put(m pcommon.Map) {
	for range s.random.IntN(12) {
		parts := make([]string, 1+s.random.IntN(3))
		for i := range parts {
			parts[i] = words[s.random.IntN(len(words))]
		}
		key := strings.Join(parts, ".")
		if _, twice := m.Get(key); twice {
			continue
		}
		s.n++
		if s.random.IntN(4) > 0 {
			m.PutInt(key, int64(s.n))
			continue
		}
		inner := m.PutEmptyMap(key)
		inner.PutInt(words[s.random.IntN(len(words))], int64(s.n))
	}
}

// finder looks for attributes in a document.
type finder struct {
	t    *testing.T
	body []byte
	doc  map[string]any
}

func newFinder(t *testing.T, d Document) finder {
	t.Helper()
	check(t, []Document{d})
	dec := json.NewDecoder(bytes.NewReader(d.Body))
	v := strictly(t, dec, d.Body)
	return finder{t, d.Body, v.(map[string]any)}
}

// strictly parses JSON without duplicate keys and without blank parts in keys.
func strictly(t *testing.T, dec *json.Decoder, body []byte) any {
	t.Helper()
	token, err := dec.Token()
	require.NoError(t, err)
	if token != json.Delim('{') {
		if token == json.Delim('[') {
			for dec.More() {
				strictly(t, dec, body)
			}
			_, _ = dec.Token()
		}
		return token
	}
	object := map[string]any{}
	for dec.More() {
		key, err := dec.Token()
		require.NoError(t, err)
		name := key.(string)
		require.NotContains(t, object, name, "twice in %s", body)
		for part := range strings.SplitSeq(name, ".") {
			require.NotEmpty(t, strings.TrimSpace(part), "blank in %s", body)
		}
		object[name] = strictly(t, dec, body)
	}
	_, _ = dec.Token()
	return object
}

// at returns the value of a field. In an object of the same name it is value, value_, and so on.
func (f finder) at(name string) []any {
	v := any(f.doc)
	for part := range strings.SplitSeq(name, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[part]
	}
	object, ok := v.(map[string]any)
	if !ok {
		return []any{v}
	}
	list := []any{}
	for key := "value"; len(key) < 12; key += "_" {
		list = append(list, object[key])
	}
	return list
}

// ecs checks that every attribute is under its own or its alternative name.
func (f finder) ecs(below string, m pcommon.Map) {
	f.t.Helper()
	flatten("", m, func(key string, v pcommon.Value) {
		if steers(key) {
			return // it names the target of the document
		}
		name := key
		if to, ok := ecsNames[key]; ok {
			name = to
		}
		for depth := range 6 {
			for _, got := range f.at(name) {
				if got == float64(v.Int()) {
					return
				}
			}
			name = strings.Repeat(aside, depth) + below + key
		}
		assert.Fail(f.t, "attribute not found in the document", "%s%s: %d in %s", below, key, v.Int(), f.body)
	})
}

// otel checks that every attribute is in an attributes object under its name, or under its name
// with an appended _.
func (f finder) otel(in any, m pcommon.Map) {
	f.t.Helper()
	object, _ := in.(map[string]any)["attributes"].(map[string]any)
	flatten("", m, func(key string, v pcommon.Value) {
		for range 6 {
			if steers(key) || object[key] == float64(v.Int()) {
				return
			}
			key += "_"
		}
		assert.Fail(f.t, "attribute not found in the document", "%s: %d in %s", key, v.Int(), f.body)
	})
}

// TestEveryAttributeIsInTheDocument sends random records and finds all of their attributes, and
// those of the scope and resource.
func TestEveryAttributeIsInTheDocument(t *testing.T) {
	for seed := range uint64(500) {
		s := &someAttributes{random: rand.New(rand.NewPCG(seed, 19))}
		ld, td, md := plog.NewLogs(), ptrace.NewTraces(), pmetric.NewMetrics()
		rl, rs, rm := ld.ResourceLogs().AppendEmpty(), td.ResourceSpans().AppendEmpty(), md.ResourceMetrics().AppendEmpty()
		sl, ss, sm := rl.ScopeLogs().AppendEmpty(), rs.ScopeSpans().AppendEmpty(), rm.ScopeMetrics().AppendEmpty()
		res, scope := rl.Resource().Attributes(), sl.Scope()
		s.put(res)
		s.put(scope.Attributes())
		scope.SetName("scope")
		res.CopyTo(rs.Resource().Attributes())
		res.CopyTo(rm.Resource().Attributes())
		scope.CopyTo(ss.Scope())
		scope.CopyTo(sm.Scope())
		lr, sp, m := sl.LogRecords().AppendEmpty(), ss.Spans().AppendEmpty(), sm.Metrics().AppendEmpty()
		lr.Body().SetStr("body")
		lr.SetSeverityText("INFO")
		sp.SetName("span")
		sp.SetTraceID(pcommon.TraceID{1})
		ev := sp.Events().AppendEmpty()
		m.SetName("metric")
		m.SetUnit("s")
		dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
		dp.SetDoubleValue(.5)
		own := []pcommon.Map{lr.Attributes(), sp.Attributes(), ev.Attributes(), dp.Attributes()}
		for _, a := range own {
			s.put(a)
		}
		for _, mode := range []Mode{ECS, OTel} {
			e := Encoder{Mode: mode}
			docs := append(append(e.Logs(ld), e.Traces(td)...), e.Metrics(md)...)
			require.Len(t, docs, len(own))
			for i, d := range docs {
				f := newFinder(t, d)
				if mode == ECS {
					f.ecs(aside, own[i])
					f.ecs(asideScope, scope.Attributes())
					f.ecs(asideResource, res)
					assert.Equal(t, []any{"scope"}, f.at("scope.name"))
					assert.Equal(t, i == 0, slices.Equal(f.at("message"), []any{"body"}))
					continue
				}
				f.otel(f.doc, own[i])
				f.otel(f.doc["scope"], scope.Attributes())
				f.otel(f.doc["resource"], res)
			}
		}
		again := (&Encoder{Mode: ECS}).Logs(ld)
		require.Equal(t, string(again[0].Body), string((&Encoder{Mode: ECS}).Logs(ld)[0].Body), "the order of maps has no say")
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestAside specifies the rule for names that are taken.
func TestAside(t *testing.T) {
	for name, tt := range map[string]struct {
		set  func(res, scope, record pcommon.Map)
		want string // of the document, after data_stream
	}{
		"a field": {func(_, _, record pcommon.Map) {
			record.PutStr("message", "x")
			record.PutStr("message.id", "y")
			record.PutStr("@timestamp", "z")
		}, `"attributes":{"@timestamp":"z","message":{"value":"x","id":"y"}},"message":"body"`},
		"a place aside": {func(_, _, record pcommon.Map) {
			record.PutStr("message", "x")
			record.PutStr("attributes.message", "y")
		}, `"attributes":{"attributes":{"message":"x"},"message":"y"},"message":"body"`},
		"another attribute": {func(_, _, record pcommon.Map) {
			record.PutStr("error.type", "x")
			record.PutStr("exception.type", "y")
			record.PutEmptyMap("a").PutInt("b", 1)
			record.PutInt("a.b", 2)
		}, `"a":{"b":1},"attributes":{"a":{"b":2},"exception":{"type":"y"}},"error":{"type":"x"},"message":"body"`},
		"scope and resource": {func(res, scope, record pcommon.Map) {
			for i, m := range []pcommon.Map{record, scope, res} {
				m.PutInt("a", int64(i))
				m.PutInt("same", 7)
			}
		}, `"a":0,"message":"body","resource":{"attributes":{"a":2}},"same":7,"scope":{"attributes":{"a":1}}`},
		"a value and an object": {func(_, _, record pcommon.Map) {
			record.PutInt("a", 1)
			record.PutInt("a.b", 2)
			record.PutInt("a.value", 3)
		}, `"a":{"value_":1,"b":2,"value":3},"message":"body"`},
		"blank parts": {func(_, _, record pcommon.Map) {
			record.PutInt("", 1)
			record.PutInt("a..b", 2)
			record.PutInt(" .", 3)
		}, `"_":{"value":1,"_":3},"a":{"_":{"b":2}},"message":"body"`},
		"an object of the document": {func(_, _, record pcommon.Map) {
			record.PutInt("data_stream", 1)
			record.PutInt("data_stream.a", 2)
		}, `"attributes":{"data_stream":{"value":1,"a":2}},"message":"body"`},
	} {
		t.Run(name, func(t *testing.T) {
			ld := oneLog(func(res, scope pcommon.Map, lr plog.LogRecord) {
				lr.Body().SetStr("body")
				tt.set(res, scope, lr.Attributes())
			})
			_, got, _ := strings.Cut(string(only(t, (&Encoder{Mode: ECS}).Logs(ld)).Body), `"default"},`)
			assert.Equal(t, tt.want+"}\n", got)
		})
	}
}

// TestOriginalAside adds attributes to a record that was a document, under existing names.
func TestOriginalAside(t *testing.T) {
	ld := oneLog(func(res, scope pcommon.Map, lr plog.LogRecord) {
		scope.PutStr(vocabulary.ElasticSchema, "ecs")
		res.PutStr("a", "resource")
		lr.Body().SetStr("body")
		lr.SetTimestamp(1e9)
		for _, name := range []string{"message", "@timestamp", "a"} {
			lr.Attributes().PutStr(name, "added "+name)
		}
	})
	_, got, _ := strings.Cut(string(only(t, (&Encoder{Mode: ECS}).Logs(ld)).Body), `"default"},`)
	assert.Equal(t, `"a":"added a","attributes":{"@timestamp":"added @timestamp","message":"added message"},"message":"body","resource":{"attributes":{"a":"resource"}}}`+"\n", got)
}
