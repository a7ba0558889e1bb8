// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/incident"
)

func TestShifted(t *testing.T) {
	line := `{"startTimeUnixNano":"1795867220032150712","endTimeUnixNano":"1795867220068675492","timeUnixNano":"0","name":"1795867220032150712"}` + "\n"
	want := `{"startTimeUnixNano":"1795870820032150712","endTimeUnixNano":"1795870820068675492","timeUnixNano":"0","name":"1795867220032150712"}` + "\n"
	assert.Equal(t, want, string(shifted([]byte(line), time.Hour)))
	assert.Equal(t, line, string(shifted([]byte(line), 0)))
}

// recording writes a folder with a fault at 12:00 and one line of metrics.
func recording(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "hotrod", "otlp"), 0o750))
	truth := `{"faults": [{"name": "slow", "start": "2026-01-05T12:00:00Z", "end": "2026-01-05T12:05:00Z", "suspects": ["mysql"]}]}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hotrod", "truth.json"), []byte(truth), 0o600))
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(`{"timeUnixNano":"7"}`))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hotrod", "otlp", "m.json.gz"), b.Bytes(), 0o600))
	return dir
}

func opened(service, metric string, at time.Duration) *incident.Anomaly {
	a := &incident.Anomaly{Opened: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC).Add(at)}
	a.Service, a.Metric, a.Statistic = service, metric, "p50"
	return a
}

func TestReport(t *testing.T) {
	first := opened("mysql", "auspex.span.duration", 15*time.Second)
	for name, c := range map[string]struct {
		anomalies []*incident.Anomaly
		code      int
	}{
		"each time":         {[]*incident.Anomaly{opened("mysql", "auspex.span.duration", time.Hour+30*time.Second), first}, 0},
		"the first alone":   {[]*incident.Anomaly{first}, 1},
		"too late":          {[]*incident.Anomaly{first, opened("mysql", "auspex.span.duration", time.Hour+31*time.Second)}, 1},
		"before the fault":  {[]*incident.Anomaly{first, opened("mysql", "auspex.span.duration", time.Hour-time.Second)}, 1},
		"of another":        {[]*incident.Anomaly{first, opened("route", "auspex.span.duration", time.Hour)}, 1},
		"of another metric": {[]*incident.Anomaly{first, opened("mysql", "auspex.span.calls", time.Hour)}, 1},
	} {
		var names []string
		test := func(in string) ([]*incident.Anomaly, error) {
			list, err := filepath.Glob(filepath.Join(in, "*"))
			for _, n := range list {
				names = append(names, filepath.Base(n))
			}
			return c.anomalies, err
		}
		var out bytes.Buffer
		assert.Equal(t, c.code, run([]string{"-eval", recording(t)}, test, &out, io.Discard), "%s:\n%s", name, &out)
		assert.Equal(t, []string{"0-m.json.gz", "1-m.json.gz"}, names)
		assert.Contains(t, out.String(), "15s  mysql - auspex.span.duration p50")
	}
}

func TestWrongUse(t *testing.T) {
	var out, errs bytes.Buffer
	assert.Equal(t, 2, run([]string{"more"}, nil, &out, &errs))
	assert.Contains(t, errs.String(), "unexpected arguments")
	assert.Zero(t, run([]string{"-eval", t.TempDir()}, nil, &out, &errs))
	assert.Contains(t, out.String(), "skipped: no recording in")
}
