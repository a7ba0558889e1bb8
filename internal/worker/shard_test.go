// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/replay"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

func TestShard(t *testing.T) {
	c := start(t, InterfaceShard, 1<<20)
	c.hello()
	lines := map[string]string{}
	see := func(body []byte) {
		for line := range strings.Lines(string(body)) {
			var f map[string]struct {
				ID string `json:"id"`
			}
			require.NoError(t, json.Unmarshal([]byte(line), &f))
			for kind, v := range f {
				lines[v.ID] = kind
			}
		}
	}
	for _, x := range recording(t) {
		see(c.ok(typeObserve, "shop", x))
	}
	see(c.ok(typeFlush, "shop", nil))
	kinds := map[string]int{}
	for _, kind := range lines {
		kinds[kind]++
	}
	assert.Equal(t, map[string]int{"anomaly": 2, "incident": 1}, kinds)

	c.fails(typeFlush, "shop", nil, `key "shop" has no state`)
	c.fails(typeSnapshot, "shop", nil, `key "shop" has no state`)
	c.fails(typeObserve, "", []byte("m{}"), "the request has no key")
	c.fails(typeObserve, "shop", nil, "the request has no body")
	c.fails(typeObserve, "shop", []byte("x{}"), "unknown signal 'x': must be m, l, or t")
	c.fails(typeObserve, "shop", []byte(`l{"resourceSpans":[]}`), "the message is not of signal 'l'")
	c.fails(typeObserve, "shop", []byte("mgarbage"), "not OTLP")
	c.fails(typeRestore, "shop", []byte{9}, "the state has version 9")
	c.ok(typeObserve, "shop", []byte("m{}"))
	state := c.ok(typeSnapshot, "shop", nil)
	c.ok(typeRestore, "shop 2", state)
	c.ok(typeDrop, "shop", nil)
	c.fails(typeSnapshot, "shop", nil, "no state")
	require.NoError(t, c.end())
}

// recording returns the requests of the recording in testdata, in the order of time.
func recording(t *testing.T) (list [][]byte) {
	t.Helper()
	type request struct {
		at   int64
		body []byte
	}
	var requests []request
	for _, file := range []string{"metrics.jsonl", "logs.jsonl", "traces.jsonl"} {
		text, err := os.ReadFile(peertest.TestData(t, "otlp", "recording", file))
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			x, err := replay.Decode([]byte(strings.TrimSpace(line)))
			require.NoError(t, err)
			requests = append(requests, request{x.Earliest, []byte(file[:1] + strings.TrimSpace(line))})
		}
	}
	slices.SortStableFunc(requests, func(a, b request) int { return int(a.at - b.at) })
	for _, r := range requests {
		list = append(list, r.body)
	}
	return list
}

// replies returns the replies to the messages of the recording, and to flush, with settings of the hello.
func replies(t *testing.T, settings string) (list [][]byte) {
	t.Helper()
	c := start(t, InterfaceShard, 1<<20)
	c.ok(typeHello, "", []byte(`{"protocol": 1, `+settings+`}`))
	for _, x := range recording(t) {
		list = append(list, c.ok(typeObserve, "shop", x))
	}
	return append(list, c.ok(typeFlush, "shop", nil))
}

// The messages of the recording are in the order of time. With that promise, the findings are the same, and come earlier.
func TestOrderedMessages(t *testing.T) {
	waited, ordered := replies(t, `"ordered": false`), replies(t, `"ordered": true`)
	assert.Equal(t, string(slices.Concat(waited...)), string(slices.Concat(ordered...)))
	first := func(list [][]byte) int {
		return slices.IndexFunc(list, func(reply []byte) bool { return len(reply) > 0 })
	}
	assert.Less(t, first(ordered), first(waited))
}

// The findings in OTLP are those in JSON, each with a resource of its own, and have the same bytes in each run.
func TestFindingsInOTLP(t *testing.T) {
	want := bytes.Buffer{}
	count := 0
	for line := range strings.Lines(string(slices.Concat(replies(t, `"findings": "json"`)...))) {
		var f finding
		require.NoError(t, json.Unmarshal([]byte(line), &f))
		var events engine.Events
		if f.Anomaly != nil {
			events.Anomalies = []*incident.Anomaly{f.Anomaly}
		} else {
			events.Incidents = []*incident.Incident{f.Incident}
		}
		require.NoError(t, encodeOTLP(&want, events))
		count++
	}
	got := slices.Concat(replies(t, `"findings": "otlp"`)...)
	assert.Equal(t, want.Bytes(), got)
	ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(got)
	require.NoError(t, err)
	assert.Equal(t, count, ld.ResourceLogs().Len())
	assert.Equal(t, count, ld.LogRecordCount())
	assert.Greater(t, count, 3)
}

func TestUnknownFormatOfFindings(t *testing.T) {
	c := start(t, InterfaceShard, 1<<20)
	c.fails(typeHello, "", []byte(`{"protocol": 1, "findings": "xml"}`), `hello: findings is "xml": must be json or otlp`)
	require.Error(t, c.end())
}

// The gauges are those since the last request, in OTLP.
func TestGauges(t *testing.T) {
	c := start(t, InterfaceShard, 1<<20)
	c.hello()
	c.fails(typeGauges, "shop", nil, `key "shop" has no state`)
	gauges := func() map[string]float64 {
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(c.ok(typeGauges, "shop", nil))
		require.NoError(t, err)
		latest := map[string]float64{}
		for _, rm := range md.ResourceMetrics().All() {
			name, _ := rm.Resource().Attributes().Get("service.name")
			for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
				if m.Type() == pmetric.MetricTypeGauge {
					dp := m.Gauge().DataPoints().At(0)
					latest[name.Str()+" "+m.Name()] = dp.DoubleValue() + float64(dp.IntValue())
				}
			}
		}
		return latest
	}
	worst, open := 0.0, 0.0
	for _, x := range recording(t) {
		c.ok(typeObserve, "shop", x)
		found := gauges()
		worst, open = max(worst, found["pay "+vocabulary.MetricMaxScore]), max(open, found["pay "+vocabulary.MetricOpen])
	}
	assert.Greater(t, worst, 1.0)
	assert.Greater(t, open, 0.0)
	assert.Empty(t, gauges(), "nothing came in since")
}
