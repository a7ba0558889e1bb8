// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/demo/shop"
)

// Instruments of a service, of each of its pods, and of the queue's consumer.
const (
	durationName = "http.server.request.duration"
	failedName   = "shop.request.failures"
	activeName   = "http.server.active_requests"
	cpuName      = "process.cpu.utilization"
	memoryName   = "process.memory.usage"
	waitingName  = "shop.queue.messages"
)

// bounds holds the bucket boundaries of latencies: from 4 ms to 3 s, each 17 % above the previous one, so that
// quantiles have an error of a few percent.
var bounds = func() (b []float64) {
	for v := .004; v < 3; v *= 1.17 {
		b = append(b, v)
	}
	return b
}()

// total holds the counters of a service since the start.
type total struct {
	buckets []uint64
	count   uint64
	sum     float64
	failed  int64
}

// counts holds the points of a service in a batch. gauges holds those of a pod.
type counts struct {
	duration       pmetric.HistogramDataPointSlice
	failed, active pmetric.NumberDataPointSlice
}

type gauges struct {
	cpu, memory pmetric.NumberDataPointSlice
}

// measure adds the points of a service and its pods.
func (f *Fleet) measure(service int, a *shop.Activity, at pcommon.Timestamp) {
	if !a.Gone {
		f.count(service, a, at)
	}
	for k := range a.Pods {
		if p := &a.Pods[k]; !p.Down {
			g := f.gaugesOf(p.Instance)
			point(g.cpu, at).SetDoubleValue(p.CPU)
			point(g.memory, at).SetIntValue(int64(p.Memory))
		}
	}
}

func (f *Fleet) count(service int, a *shop.Activity, at pcommon.Timestamp) {
	t, s := &f.totals[service], &f.services[service]
	for _, v := range a.Latencies {
		k, _ := slices.BinarySearch(bounds, v)
		t.buckets[k]++
		t.sum += v
	}
	t.count += uint64(len(a.Latencies))
	t.failed += int64(a.Failed)
	c, start := f.countsOf(service), pcommon.NewTimestampFromTime(f.start)
	endpoint := func(m pcommon.Map) {
		m.PutStr("http.request.method", s.Method)
		m.PutStr("http.route", s.Route)
	}
	h := c.duration.AppendEmpty()
	h.SetStartTimestamp(start)
	h.SetTimestamp(at)
	h.SetCount(t.count)
	h.SetSum(t.sum)
	h.ExplicitBounds().FromRaw(bounds)
	h.BucketCounts().FromRaw(t.buckets)
	endpoint(h.Attributes())
	failed := point(c.failed, at)
	failed.SetStartTimestamp(start)
	failed.SetIntValue(t.failed)
	endpoint(failed.Attributes())
	point(c.active, at).SetIntValue(int64(a.Active))
}

// measureQueue adds the length of the queue, which its consumer reports.
func (f *Fleet) measureQueue(waiting int, at pcommon.Timestamp) {
	if f.queue == nil {
		rm := f.batch.Metrics.ResourceMetrics().AppendEmpty()
		ofService(f.services[shop.QueueConsumer], rm.Resource())
		points := gauge(scoped(rm), waitingName, "{message}", "Messages that wait in the queue.")
		f.queue = &points
	}
	p := point(*f.queue, at)
	p.SetIntValue(int64(waiting))
	p.Attributes().PutStr("messaging.system", shop.QueueSystem)
	p.Attributes().PutStr("messaging.destination.name", shop.QueueName)
}

// countsOf returns the points of a service in the batch.
func (f *Fleet) countsOf(service int) *counts {
	if c := f.counts[service]; c != nil {
		return c
	}
	rm := f.batch.Metrics.ResourceMetrics().AppendEmpty()
	ofService(f.services[service], rm.Resource())
	metrics, c := scoped(rm), new(counts)
	h := named(metrics, durationName, "s", "Duration of HTTP server requests.").SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	c.duration = h.DataPoints()
	c.failed = sum(metrics, failedName, "{request}", "Requests that were answered with an error.", true)
	c.active = sum(metrics, activeName, "{request}", "Requests in flight.", false)
	f.counts[service] = c
	return c
}

// gaugesOf returns the points of a pod in the batch.
func (f *Fleet) gaugesOf(by *shop.Instance) gauges {
	g, ok := f.pods[by]
	if !ok {
		rm := f.batch.Metrics.ResourceMetrics().AppendEmpty()
		f.ofPod(by, rm.Resource())
		metrics := scoped(rm)
		g.cpu = gauge(metrics, cpuName, "1", "Share of the processors' time that the process used.")
		g.memory = gauge(metrics, memoryName, "By", "Memory that the process uses.")
		f.pods[by] = g
	}
	return g
}

func scoped(rm pmetric.ResourceMetrics) pmetric.MetricSlice {
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(scope)
	return sm.Metrics()
}

func named(to pmetric.MetricSlice, name, unit, description string) pmetric.Metric {
	m := to.AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	m.SetDescription(description)
	return m
}

func gauge(to pmetric.MetricSlice, name, unit, description string) pmetric.NumberDataPointSlice {
	return named(to, name, unit, description).SetEmptyGauge().DataPoints()
}

func sum(to pmetric.MetricSlice, name, unit, description string, monotonic bool) pmetric.NumberDataPointSlice {
	s := named(to, name, unit, description).SetEmptySum()
	s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	s.SetIsMonotonic(monotonic)
	return s.DataPoints()
}

// point adds a point without a value.
func point(to pmetric.NumberDataPointSlice, at pcommon.Timestamp) pmetric.NumberDataPoint {
	p := to.AppendEmpty()
	p.SetTimestamp(at)
	return p
}
