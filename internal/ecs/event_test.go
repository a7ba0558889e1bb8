// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ecs

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"golang.org/x/tools/txtar"

	"github.com/auspex-otel/auspex/internal/golden"
	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// TestECS runs testdata/events/*.txtar: events, one per line, and the expected records.
func TestECS(t *testing.T) {
	golden.Archives(t, peertest.TestData(t, "events", "*.txtar"), func(t *testing.T, archive *txtar.Archive) *txtar.Archive {
		t.Helper()
		require.Len(t, archive.Files, 2)
		b := NewBatch("scope", "1.0")
		for line := range strings.Lines(string(archive.Files[0].Data)) {
			f, err := Parse([]byte(line))
			require.NoError(t, err)
			if f.IsMetrics() {
				b.AddMetrics(f, 1)
			} else {
				b.AddLog(f, f.ID(), 1)
			}
		}
		archive.Files[1].Data = []byte(show(b.Logs) + showMetrics(b.Metrics))
		return archive
	})
}

// show returns logs as text, with sorted attributes.
func show(ld plog.Logs) string {
	var b strings.Builder
	attributes := func(indent, title string, m map[string]any) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			fmt.Fprintf(&b, "%s%s %s = %T %v\n", indent, title, k, m[k], m[k])
		}
	}
	for _, rl := range ld.ResourceLogs().All() {
		b.WriteString("resource\n")
		attributes("  ", "attribute", rl.Resource().Attributes().AsRaw())
		for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
			fmt.Fprintf(&b, "  record %q\n", lr.Body().AsString())
			if lr.Timestamp() != 0 {
				fmt.Fprintf(&b, "    time %s\n", lr.Timestamp().AsTime().Format(time.RFC3339Nano))
			}
			if lr.SeverityText() != "" {
				fmt.Fprintf(&b, "    severity %s %q\n", lr.SeverityNumber(), lr.SeverityText())
			}
			if !lr.TraceID().IsEmpty() || !lr.SpanID().IsEmpty() {
				fmt.Fprintf(&b, "    trace %s span %s\n", lr.TraceID(), lr.SpanID())
			}
			attributes("    ", "attribute", lr.Attributes().AsRaw())
		}
	}
	return b.String()
}

func showMetrics(md pmetric.Metrics) string {
	var b strings.Builder
	attributes := func(indent string, m map[string]any) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			fmt.Fprintf(&b, "%sattribute %s = %T %v\n", indent, k, m[k], m[k])
		}
	}
	for _, rm := range md.ResourceMetrics().All() {
		b.WriteString("resource of metrics\n")
		attributes("  ", rm.Resource().Attributes().AsRaw())
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			fmt.Fprintf(&b, "  %s %s %q\n", m.Type(), m.Name(), m.Unit())
			switch m.Type() {
			case pmetric.MetricTypeGauge:
				for _, p := range m.Gauge().DataPoints().All() {
					fmt.Fprintf(&b, "    %s %v at %s\n", p.ValueType(), float64(p.IntValue())+p.DoubleValue(), p.Timestamp().AsTime().Format(time.RFC3339Nano))
					attributes("      ", p.Attributes().AsRaw())
				}
			case pmetric.MetricTypeSum:
				for _, p := range m.Sum().DataPoints().All() {
					fmt.Fprintf(&b, "    %s %v at %s\n", p.ValueType(), p.IntValue(), p.Timestamp().AsTime().Format(time.RFC3339Nano))
				}
			case pmetric.MetricTypeHistogram:
				for _, p := range m.Histogram().DataPoints().All() {
					fmt.Fprintf(&b, "    count %d sum %v bounds %v buckets %v\n", p.Count(), p.Sum(), p.ExplicitBounds().AsRaw(), p.BucketCounts().AsRaw())
				}
			}
		}
	}
	return b.String()
}

// The exporter reads this name, and the receivers write it.
func TestNameOfTheOperation(t *testing.T) {
	assert.Equal(t, vocabulary.ElasticOp, conventional(metadataOp))
}

// uid returns the id of an event.
func uid(t *testing.T, event string) string {
	t.Helper()
	f, err := Parse([]byte(event))
	require.NoError(t, err)
	return f.ID()
}

func TestUID(t *testing.T) {
	const base = `{"@timestamp":"2026-05-04T12:00:00.000Z","message":"m","agent":{"id":"a"},"log":{"offset":7,"file":{"path":"/p","inode":1,"device_id":2}}}`
	first := uid(t, base)
	assert.Len(t, first, 27)
	// Objects and dotted names are equivalent, in any order of keys.
	assert.Equal(t, first, uid(t, `{"log.file.path":"/p","log":{"file":{"device_id":2,"inode":1}},"log.offset":7,"agent.id":"a","message":"m","@timestamp":"2026-05-04T12:00:00.000Z","host":{"name":"x"}}`))
	for what, change := range map[string][2]string{
		"agent": {`"id":"a"`, `"id":"b"`}, "path": {`"/p"`, `"/q"`}, "offset": {`"offset":7`, `"offset":8`},
		"a rotated file": {`"inode":1`, `"inode":3`}, "another disk": {`"device_id":2`, `"device_id":3`},
		"a truncated file, read later": {"12:00:00.000Z", "12:00:01.000Z"}, "another line": {`"m"`, `"n"`},
	} {
		assert.NotEqual(t, first, uid(t, strings.Replace(base, change[0], change[1], 1)), what)
	}
	// Two identical lines without a position in a file are different events.
	for _, without := range []string{
		`{"message":"m"}`, strings.Replace(base, `"id":"a"`, `"name":"a"`, 1), strings.Replace(base, `"offset":7`, `"offset":"7"`, 1),
		strings.Replace(base, `"path":"/p"`, `"path":""`, 1), `{"@metadata":{"_id":7}}`, `{"@metadata":{"_id":""}}`,
	} {
		assert.Empty(t, uid(t, without), without)
	}
	// An id from the client takes precedence.
	assert.Equal(t, "chosen", uid(t, strings.Replace(base, "{", `{"@metadata":{"_id":"chosen"},`, 1)))
	assert.Equal(t, "own", uid(t, `{"log.record.uid":"own","@metadata":{"_id":"chosen"}}`))
	assert.Len(t, uid(t, `{"@metadata":{"_id":"`+strings.Repeat("x", 513)+`"}}`), 27)
}

// The tables in the guide and the code must agree.
func TestGuideHasEveryName(t *testing.T) {
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	readme := string(b)
	for from, to := range renamed {
		assert.Contains(t, readme, "| `"+from+"` | `"+to+"` |")
	}
	for _, p := range renamedPrefixes {
		assert.Contains(t, readme, "| `"+p[0]+"*` | `"+p[1]+"*` |")
	}
	for _, prefix := range resourcePrefixes {
		assert.Contains(t, readme, "`"+prefix+"*`")
	}
	_, tables, _ := strings.Cut(readme, "| field | resource attribute |")
	tables, _, _ = strings.Cut(tables, "## Measurements")
	assert.Equal(t, len(renamed)+len(renamedPrefixes), strings.Count(tables, "` | `"))
}

// The size of every object of a hostile event is bounded: names do not grow with the square of
// its depth.
func TestDeepEvents(t *testing.T) {
	const depth = 5000
	key := strings.Repeat("k", 10)
	event := strings.Repeat(`{"leaf":1,"`+key+`":`, depth) + "1" + strings.Repeat("}", depth)
	f, err := Parse([]byte(event))
	require.NoError(t, err)
	assert.Len(t, f, flattenDepth+1)
	lr := plog.NewLogRecord()
	NewBatch("scope", "1.0").translate(f, "", lr)
	size := 0
	for k, v := range lr.Attributes().All() {
		size += len(k) + len(v.AsString())
	}
	assert.Less(t, size, 2*len(event)+1000*flattenDepth*flattenDepth)

	f, err = Parse([]byte(`{"list":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`))
	require.NoError(t, err)
	inner := f["list"]
	for range valueDepth - 1 {
		inner = inner.([]any)[0]
	}
	assert.Equal(t, strings.Repeat("[", depth-valueDepth+1)+strings.Repeat("]", depth-valueDepth+1), inner)
}

// A long name is not the prefix of each field of its object.
func TestLongNameOfAnObject(t *testing.T) {
	var leaves strings.Builder
	leaves.WriteString(`"leaf":0`)
	for i := range 10_000 {
		fmt.Fprintf(&leaves, `,"leaf%d":1`, i)
	}
	inner := leaves.String()
	for _, escaped := range []string{"", `,"escaped":"A"`} { // the quick parser leaves it to the other
		name := strings.Repeat("n", flattenBytes+1)
		f, err := Parse([]byte(`{"short":{"` + name + `":{` + inner + `}}` + escaped + `}`))
		require.NoError(t, err)
		assert.Len(t, f["short."+name], 10_001)
		f, err = Parse([]byte(`{"short":{` + inner + `}` + escaped + `}`))
		require.NoError(t, err)
		assert.EqualValues(t, 1, f["short.leaf9999"])
	}
}

func BenchmarkEvents(b *testing.B) {
	archive, err := txtar.ParseFile(peertest.TestData(b, "events", "filebeat.txtar"))
	require.NoError(b, err)
	event, _, _ := strings.Cut(string(archive.Files[0].Data), "\n")
	b.ReportAllocs()
	b.SetBytes(int64(len(event)))
	batch := NewBatch("scope", "1.0")
	for i := 0; b.Loop(); i++ {
		if i%1000 == 0 {
			batch = NewBatch("scope", "1.0")
		}
		f, err := Parse([]byte(event))
		require.NoError(b, err)
		batch.AddLog(f, f.ID(), 1)
	}
}
