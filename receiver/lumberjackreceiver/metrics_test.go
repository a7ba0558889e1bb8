// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/vocabulary"
	lj "github.com/auspex-otel/auspex/internal/wire/lumberjack/lumberjacktest"
)

const numbers = `{"@timestamp":"2026-05-04T12:00:00.000Z","@metadata":{"beat":"metricbeat","raw_index":"metricbeat-custom","pipeline":"p"},"metricset":{"name":"cpu"},"system":{"cpu":{"user":{"pct":0.5,"ticks":7}}}}`

// meters is the next consumer of metrics.
type meters struct {
	took []pmetric.Metrics
	err  error
}

func (*meters) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (m *meters) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	if m.err != nil {
		return m.err
	}
	m.took = append(m.took, md)
	return nil
}

func TestMeasurements(t *testing.T) {
	t.Parallel()
	logs, next := &pipeline{}, &meters{}
	r := prepare(t, logs, nil)
	r.nextMetrics = next
	r.begin()
	p := r.dial()
	p.send(lj.Batch(said(0), numbers, said(1)))
	p.acks("2:3")
	assert.Equal(t, bodies(0, 2), logs.accepted())
	require.Len(t, next.took, 1)
	metrics := next.took[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	require.Equal(t, 2, metrics.Len())
	assert.Equal(t, "system.cpu.user.pct", metrics.At(0).Name())
	attributes := metrics.At(0).Gauge().DataPoints().At(0).Attributes().AsRaw()
	assert.Equal(t, "metricbeat-custom", attributes[vocabulary.ElasticIndex])
	assert.Equal(t, "p", attributes[vocabulary.ElasticPipeline])
	assert.Equal(t, pmetric.MetricTypeSum, metrics.At(1).Type())
	r.counts(3, "lumberjack_acknowledged_events")
}

// A window is not acknowledged until both signals are accepted.
func TestMeasurementsAreRefused(t *testing.T) {
	t.Parallel()
	next := &meters{err: errors.New("later")}
	r := prepare(t, &pipeline{}, nil)
	r.nextMetrics = next
	r.begin()
	p := r.dial()
	p.send(lj.Batch(said(0), numbers))
	p.acks("")
	r.counts(1, "lumberjack_errors", reasonRetryable)
}

func TestMeasurementsWithoutAPipelineOfMetrics(t *testing.T) {
	t.Parallel()
	logs := &pipeline{}
	r := start(t, logs, nil)
	p := r.dial()
	p.send(lj.Batch(numbers))
	p.acks("2:1")
	require.Len(t, logs.accepted(), 1)
}

func TestLogsWithoutAPipelineOfLogs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	next := &meters{}
	r := prepare(t, nil, func(c *Config) { c.DeadLetter.Directory = dir })
	r.nextLogs, r.nextMetrics = nil, next
	r.begin()
	p := r.dial()
	p.send(lj.Batch(said(0), numbers))
	p.acks("2:2")
	assert.Len(t, next.took, 1)
	dead := dead(t, dir)
	require.Len(t, dead, 1)
	assert.Contains(t, dead[0].Reason, "no pipeline of logs")
	r.counts(1, "lumberjack_dead_letters", letterNoPipeline)
}
