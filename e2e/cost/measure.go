// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// pipeline returns the configuration of a collector with the given processors and an exporter that discards the data.
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

// cpuOf returns the processor seconds that a process used while f ran.
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

// judgedAll returns an error unless the engine judged all sent points. Points that it treats as already seen cost
// nothing and would distort the figures.
func judgedAll(c *peertest.Collector, sent int) error {
	var status struct {
		Points  int            `json:"points"`
		Refused map[string]int `json:"refused"`
	}
	if err := c.Ask(context.Background(), "/api/v1/status", &status); err != nil {
		return err
	}
	if status.Points != sent {
		return fmt.Errorf("%d points were sent, %d were judged; rejected: %v", sent, status.Points, status.Refused)
	}
	return nil
}

func spread(v []float64) (least, median, most float64) {
	v = slices.Sorted(slices.Values(v))
	return v[0], v[len(v)/2], v[len(v)-1]
}
