// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var broke = time.Date(2026, 5, 4, 18, 0, 0, 0, time.UTC)

func after(seconds int) time.Time { return broke.Add(time.Duration(seconds) * time.Second) }

// of returns an incident that opened at a second, with a suspect for each name and an anomaly of the first.
func of(second int, suspects ...string) incident {
	in := incident{Opened: after(second), Anomalies: []anomaly{{suspects[0], after(second)}}}
	for _, s := range suspects {
		in.Suspects = append(in.Suspects, struct{ Service string }{s})
	}
	return in
}

func TestScore(t *testing.T) {
	grown := of(-600, "cart", "payments")
	grown.Anomalies = append(grown.Anomalies, anomaly{"payments", after(50)}, anomaly{"payments", after(40)})
	old := of(-600, "cart", "payments")
	old.Anomalies = append(old.Anomalies, anomaly{"payments", after(-5)}, anomaly{"payments", after(40)})
	for name, c := range map[string]struct {
		incidents []incident
		want      try
	}{
		"nothing":              {nil, try{}},
		"right":                {[]incident{of(20, "payments", "cart")}, try{found: true, delay: 20 * time.Second, first: "payments", right: true, among: true, incidents: 1}},
		"the other end":        {[]incident{of(20, "checkout")}, try{found: true, delay: 20 * time.Second, first: "checkout", right: true, among: true, incidents: 1}},
		"third":                {[]incident{of(20, "cart", "bank", "payments")}, try{found: true, delay: 20 * time.Second, first: "cart", among: true, incidents: 1}},
		"fourth":               {[]incident{of(20, "a", "b", "c", "payments")}, try{found: true, delay: 20 * time.Second, first: "a", incidents: 1}},
		"the first of two":     {[]incident{of(90, "payments"), of(15, "cart")}, try{found: true, delay: 15 * time.Second, first: "cart", incidents: 2}},
		"too late":             {[]incident{of(181, "payments")}, try{}},
		"at the very start":    {[]incident{of(0, "payments")}, try{falseIncidents: 1}},
		"took in the culprit":  {[]incident{grown}, try{found: true, delay: 40 * time.Second, first: "cart", among: true, falseIncidents: 1}},
		"had it in it already": {[]incident{old}, try{falseIncidents: 1}},
	} {
		got := score(truth{Culprits: []string{"payments", "checkout"}, From: broke}, findings{incidents: c.incidents})
		assert.Equal(t, c.want, got, name)
	}
	got := score(truth{From: broke}, findings{anomalies: []anomaly{{"a", after(-9)}, {"a", after(9)}}})
	assert.Equal(t, try{falseAnomalies: 1}, got)
}

// Scripts that replace the demo and auspex. The fault is the one that was requested from the demo.
const (
	writes = `#!/bin/sh
mkdir -p "$2/otlp"; test "$4" = 6h0m0s || test "$4" = 24h0m0s || exit 3
from=; test $FAULT = none || from='"from":"2026-05-04T18:00:00Z",'
echo "{\"culprits\":[\"payments\"],$from\"start\":\"2026-05-03T18:00:00Z\",\"end\":\"2026-05-04T18:00:00Z\"}" > "$2/truth.json"
echo $FAULT > "$2/otlp/fault"
`
	judges = `#!/bin/sh
mkdir -p "$6"; : > "$6/incidents.jsonl"; : > "$6/anomalies.jsonl"
case $(cat "$4/fault") in
latency) echo '{"opened":"2026-05-04T18:00:25Z","suspects":[{"service":"payments"}]}' > "$6/incidents.jsonl";;
errors) for k in 1 2 3; do echo '{"opened":"2026-05-04T18:01:25Z","suspects":[{"service":"cart"}]}' >> "$6/incidents.jsonl"; done;;
none) for k in 1 2 3 4 5 6; do echo '{"opened":"2026-05-04T10:00:00Z"}' >> "$6/anomalies.jsonl"; done;;
esac
`
)

func program(t *testing.T, text string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	path := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o700))
	return path
}

func TestReport(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	play := func(args ...string) (string, int) {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"-demo", program(t, writes), "-auspex", program(t, judges), "-seeds", "2", "-quiet", "2"}, args...), &out, &errs)
		return strings.Join(strings.Fields(out.String()+errs.String()), " "), code
	}
	text, code := play()
	assert.Equal(t, 1, code, text)
	for _, want := range []string{
		"latency 2/2 2/2 2/2 25 s 1.00", "errors 2/2 0/2 0/2 85 s 3.00", "throughput 0/2 0/2 0/2 - 0.00",
		"errors: [cart cart]", "for each: missed", "all 48 h 12 0 10.0", "budget: missed",
	} {
		assert.Contains(t, text, want)
	}
	again, _ := play()
	assert.Equal(t, text, again)

	text, code = play("-faults", "latency,cpu", "-quiet", "0")
	assert.Equal(t, 0, code, text)
	assert.NotContains(t, text, "errors")

	text, code = play("-auspex", program(t, "#!/bin/sh\necho no such flag\nexit 2"))
	assert.Equal(t, 2, code)
	assert.Contains(t, text, "no such flag")
	_, code = play("more")
	assert.Equal(t, 2, code)
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	for _, e := range left {
		assert.False(t, strings.HasPrefix(e.Name(), "auspex-shop-"), e.Name())
	}
}
