// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"golang.org/x/tools/txtar"

	"github.com/auspex-otel/auspex/internal/ecs"
	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/vocabulary"
	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

var ecsEncoder = &Encoder{Mode: ECS, IncidentsIndex: "incidents"}

// back converts an event to a record, and the record to a document.
func back(t *testing.T, event string, route func(ecs.Fields)) Document {
	t.Helper()
	f, err := ecs.Parse([]byte(event))
	require.NoError(t, err)
	route(f)
	b := ecs.NewBatch("scope", "1.0")
	b.AddLog(f, f.ID(), pcommon.Timestamp(1))
	return only(t, ecsEncoder.Logs(b.Logs))
}

// parsed returns the fields of a document, with its time parsed.
func parsed(t *testing.T, text string) ecs.Fields {
	t.Helper()
	f, err := ecs.Parse([]byte(text))
	require.NoError(t, err)
	for name := range f {
		if strings.HasPrefix(name, "@metadata.") {
			delete(f, name) // not a part of a document
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, f.Text("@timestamp")); err == nil {
		f["@timestamp"] = at.UTC()
	}
	return f
}

// TestEventsComeBack writes the records of every event in the receivers' tests, and finds the
// same fields with the same values.
func TestEventsComeBack(t *testing.T) {
	files, err := filepath.Glob(peertest.TestData(t, "events", "*.txtar"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(archive.Files[0].Data)) {
			if strings.Contains(line, `"host":"web-1","host.name"`) {
				continue // a field and an object with the same name: Elasticsearch rejects such a document
			}
			d := back(t, line, func(f ecs.Fields) { f.Route("logs-of-mine", "", "", "") })
			want, got := parsed(t, line), parsed(t, string(d.Body))
			if _, ok := want["@timestamp"]; !ok {
				assert.Contains(t, got, "@timestamp", "no document of a data stream may be without")
				delete(got, "@timestamp")
			}
			assert.Equal(t, want, got, "%s", line)
			assert.Equal(t, "logs-of-mine", d.Index)
		}
	}
}

func TestTimesOfBeatsComeBackToTheByte(t *testing.T) {
	for _, at := range []string{"2026-05-04T12:00:00.000Z", "2026-05-04T12:00:00.120Z", "2026-05-04T12:00:00.000001Z"} {
		assert.Equal(t, `{"@timestamp":"`+at+`","message":"m"}`+"\n", string(back(t, `{"@timestamp":"`+at+`","message":"m"}`, func(f ecs.Fields) { f.Route("i", "", "", "") }).Body))
	}
}

// Attributes that were added to the record are written next to the original fields.
func TestAddedAttributesAreWritten(t *testing.T) {
	f, err := ecs.Parse([]byte(`{"message":"m","host":"h","data_stream":{"dataset":"d"}}`))
	require.NoError(t, err)
	b := ecs.NewBatch("scope", "1.0")
	b.AddLog(f, "an-id", 1)
	b.Logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutDouble("anomaly.score", 1.5)
	d := only(t, ecsEncoder.Logs(b.Logs))
	assert.JSONEq(t, `{"@timestamp":"1970-01-01T00:00:00.000000001Z","message":"m","host":"h","data_stream":{"dataset":"d"},"anomaly":{"score":1.5}}`, string(d.Body))
	assert.Equal(t, esbulk.Action{Op: esbulk.Create, Index: "logs-d-default", ID: "an-id", DataStream: true}, d.Action)
}

func TestOperationsComeBack(t *testing.T) {
	for op, want := range map[esbulk.Op]esbulk.Action{
		"":            {Op: esbulk.Create, Index: "i", ID: "7"},
		esbulk.Index:  {Op: esbulk.Index, Index: "i", ID: "7"},
		esbulk.Update: {Op: esbulk.Create, Index: "i"},
	} {
		assert.Equal(t, want, back(t, `{}`, func(f ecs.Fields) { f.Route("i", "7", "", op) }).Action, "%q", op)
	}
	fixed := &Encoder{Mode: ECS, LogsIndex: "a-data-stream", LogsDynamicPipeline: true}
	f := ecs.Fields{}
	f.Route("i", "7", "p", esbulk.Index)
	b := ecs.NewBatch("scope", "1.0")
	b.AddLog(f, f.ID(), 1)
	assert.Equal(t, esbulk.Action{Op: esbulk.Create, Index: "a-data-stream", ID: "7", Pipeline: "p"}, only(t, fixed.Logs(b.Logs)).Action)
}

func TestMeasurementsComeBack(t *testing.T) {
	f, err := ecs.Parse([]byte(`{"@timestamp":"2026-05-04T12:00:00.500Z","metricset":{"name":"cpu"},"system":{"cpu":{"user":{"pct":0.5}}},"host":{"name":"h","architecture":"x86"}}`))
	require.NoError(t, err)
	f[vocabulary.ElasticIndex] = "metricbeat-8"
	b := ecs.NewBatch("scope", "1.0")
	b.AddMetrics(f, 1)
	d := only(t, ecsEncoder.Metrics(b.Metrics))
	assert.Equal(t, "metricbeat-8", d.Index)
	assert.JSONEq(t, `{"@timestamp":"2026-05-04T12:00:00.5Z","metricset":{"name":"cpu"},"system":{"cpu":{"user":{"pct":0.5}}},"host":{"name":"h","architecture":"x86"}}`, string(d.Body))
}
