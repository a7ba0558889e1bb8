// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/demo/shop"
)

// scope is the name of the instrumentation scope of the shop's telemetry.
const scope = "github.com/auspex-otel/auspex/demo"

// Batch holds the data of one export, with one request per signal.
type Batch struct {
	Traces  ptrace.Traces
	Logs    plog.Logs
	Metrics pmetric.Metrics
}

// Sink accepts batches. Send returns when the batch was stored or acknowledged.
type Sink interface {
	Send(ctx context.Context, b Batch) error
	Close() error
}

// Fleet is the instrumentation of the shop: the counters of all services since the start, and the data that was not
// taken yet.
type Fleet struct {
	services []shop.Service
	start    time.Time
	totals   []total
	batch    Batch
	// Points in the batch by service and by pod.
	counts []*counts
	queue  *pmetric.NumberDataPointSlice
	pods   map[*shop.Instance]gauges
	spans  map[*shop.Instance]ptrace.SpanSlice
	lines  map[*shop.Instance]plog.LogRecordSlice
}

// NewFleet instruments the services. Their counters start at start.
func NewFleet(services []shop.Service, start time.Time) *Fleet {
	f := &Fleet{services: services, start: start, totals: make([]total, len(services))}
	for i := range f.totals {
		f.totals[i].buckets = make([]uint64, len(bounds)+1)
	}
	f.clear()
	return f
}

func (f *Fleet) clear() {
	f.batch = Batch{ptrace.NewTraces(), plog.NewLogs(), pmetric.NewMetrics()}
	f.counts, f.queue = make([]*counts, len(f.services)), nil
	f.pods, f.spans, f.lines = map[*shop.Instance]gauges{}, map[*shop.Instance]ptrace.SpanSlice{}, map[*shop.Instance]plog.LogRecordSlice{}
}

// Record adds one interval to the batch.
func (f *Fleet) Record(iv *shop.Interval) {
	at := pcommon.NewTimestampFromTime(iv.End)
	for i := range iv.Services {
		f.measure(i, &iv.Services[i], at)
	}
	f.measureQueue(iv.Waiting, at)
	for i := range iv.Spans {
		f.span(&iv.Spans[i])
	}
	for i := range iv.Lines {
		f.line(&iv.Lines[i])
	}
}

// Take returns the data since the last call, ordered by event time.
func (f *Fleet) Take() Batch {
	b := f.batch
	f.clear()
	return b
}

// ofService sets the resource of the instrument that measures a whole service: the load balancer of its pods.
func ofService(s shop.Service, res pcommon.Resource) {
	a := res.Attributes()
	a.PutStr("service.namespace", "shop")
	a.PutStr("service.name", s.Name)
	a.PutStr("k8s.deployment.name", s.Name)
}

// ofPod sets the resource of a pod.
func (f *Fleet) ofPod(by *shop.Instance, res pcommon.Resource) {
	ofService(f.services[by.Service], res)
	a := res.Attributes()
	a.PutStr("service.version", by.Version)
	a.PutStr("service.instance.id", by.ID)
	a.PutStr("host.name", by.Node)
	a.PutStr("k8s.pod.name", by.Pod)
	a.PutStr("k8s.node.name", by.Node)
}
