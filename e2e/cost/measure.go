// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// pipeline is the configuration of a collector with the given processors and nothing behind them.
func pipeline(processors string) string {
	return `
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: ${env:E2E_OTLP}
processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 2048
  anomaly:
exporters:
  nop:
extensions:
  health_check:
    endpoint: ${env:E2E_HEALTH}
  pprof:
    endpoint: ${env:E2E_PPROF}
  anomaly_console:
    endpoint: ${env:E2E_CONSOLE}
  anomaly_engine:
service:
  extensions: [health_check, pprof, anomaly_engine, anomaly_console]
  telemetry:
    metrics:
      level: none
  pipelines:
    metrics:
      receivers: [otlp]
      processors: ` + processors + `
      exporters: [nop]
`
}

// cpuOf returns the processor seconds that a process took while f ran.
func cpuOf(p *peertest.Process, f func() error) (float64, error) {
	before, err := p.CPUSeconds()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := p.CPUSeconds()
	return after - before, err
}

// memory is in MiB.
type memory struct{ heap, resident float64 }

var heapAlloc = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`)

// memoryOf has the collector collect its garbage, and reads what is left.
func memoryOf(c *peertest.Collector) (m memory, err error) {
	var profile []byte
	for range 2 { // finalizers run after the first
		if profile, err = get("http://" + c.Pprof + "/debug/pprof/heap?gc=1&debug=1"); err != nil {
			return m, err
		}
	}
	found := heapAlloc.FindSubmatch(profile)
	if found == nil {
		return m, errors.New("the heap profile does not say HeapAlloc")
	}
	bytes, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		return m, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.PID()))
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			m.resident, err = strconv.ParseFloat(fields[1], 64)
		}
	}
	m.heap, m.resident = bytes/(1<<20), m.resident/1024
	return m, err
}

// judgedAll returns an error unless the engine judged as many points as were sent: a
// point that it takes for one that it has seen costs nothing, and would flatter the figures.
func judgedAll(console string, sent int) error {
	b, err := get("http://" + console + "/api/v1/status")
	if err != nil {
		return err
	}
	var status struct {
		Points  int            `json:"points"`
		Refused map[string]int `json:"refused"`
	}
	if err := json.Unmarshal(b, &status); err != nil {
		return err
	}
	if status.Points != sent {
		return fmt.Errorf("%d points were sent and %d judged; refused: %v", sent, status.Points, status.Refused)
	}
	return nil
}

func get(url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s answers %s", url, res.Status)
	}
	return io.ReadAll(res.Body)
}

func spread(v []float64) (least, median, most float64) {
	v = slices.Sorted(slices.Values(v))
	return v[0], v[len(v)/2], v[len(v)-1]
}
