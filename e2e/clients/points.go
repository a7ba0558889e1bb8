// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	batchPoints     = 1000 // per request, each of a different series
	resourcesABatch = 10
	pointsAMetric   = 10
	step            = 10 * time.Second // event time between two points of a series
	connections     = 4
	method          = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
)

// Points sends metric points over OTLP at low cost. It marshals its requests once. Before each sending it overwrites
// the bytes of every timestamp and value in place. So every point is new, and the generator needs little processor
// time.
type Points struct {
	lanes []lane
	sent  int
	// Raised is added to the values of the first series of each resource.
	Raised float64
}

// lane is a connection with the requests that it sends in turn.
type lane struct {
	conn     *grpc.ClientConn
	requests []*request
	random   *rand.Rand
}

type request struct {
	bytes         []byte
	times, values []int // offsets
	time          time.Time
}

// NewPoints connects to a collector. It rounds the number of series up to whole requests on each connection.
func NewPoints(address string, series int) (*Points, error) {
	l := &Points{lanes: make([]lane, connections)}
	for i := range l.lanes {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
		if err != nil {
			return nil, err
		}
		l.lanes[i] = lane{conn: conn, random: rand.New(rand.NewPCG(uint64(i), 1))}
	}
	count := (series + batchPoints*connections - 1) / (batchPoints * connections) * connections
	for i := range count {
		r, err := newRequest(i)
		if err != nil {
			return nil, err
		}
		l.lanes[i%connections].requests = append(l.lanes[i%connections].requests, r)
	}
	return l, nil
}

// Close closes the connections.
func (l *Points) Close() {
	for _, lane := range l.lanes {
		_ = lane.conn.Close()
	}
}

// Sent returns the number of acknowledged points.
func (l *Points) Sent() int { return l.sent }

// Series returns the number of series.
func (l *Points) Series() int { return len(l.lanes) * len(l.lanes[0].requests) * batchPoints }

// Send sends at least n points, the same number over each connection, and waits for every acknowledgement.
func (l *Points) Send(n int) error {
	each := (n/batchPoints + connections - 1) / connections
	done := make(chan error)
	for i := range l.lanes {
		go func() { done <- l.lanes[i].send(each, l.Raised) }()
	}
	var errs []error
	for range l.lanes {
		errs = append(errs, <-done)
	}
	l.sent += each * connections * batchPoints
	return errors.Join(errs...)
}

// send sends n requests in turn, beginning where the last call ended.
func (l *lane) send(n int, raised float64) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for range n {
		r := l.requests[0]
		l.requests = append(l.requests[1:], r)
		r.renew(l.random, raised)
		var answer []byte
		if err := l.conn.Invoke(ctx, method, &r.bytes, &answer); err != nil {
			return fmt.Errorf("the collector rejected points: %w", err)
		}
	}
	return nil
}

// renew moves every point one step on, and gives it another value, raised in the first series of each resource.
func (r *request) renew(random *rand.Rand, raised float64) {
	r.time = r.time.Add(step)
	t := uint64(r.time.UnixNano())
	for i := range r.times {
		binary.LittleEndian.PutUint64(r.bytes[r.times[i]:], t)
		v := 50 + 10*random.NormFloat64()
		if i%(batchPoints/resourcesABatch) == 0 {
			v += raised
		}
		binary.LittleEndian.PutUint64(r.bytes[r.values[i]:], math.Float64bits(v))
	}
}

// newRequest builds a request with its own series and finds the offsets of its timestamps and values.
func newRequest(n int) (*request, error) {
	r := &request{time: time.Now().Add(-30 * 24 * time.Hour).Truncate(time.Second)}
	md := pmetric.NewMetrics()
	for i := range resourcesABatch {
		rm := md.ResourceMetrics().AppendEmpty()
		id := strconv.Itoa(n*resourcesABatch + i)
		rm.Resource().Attributes().PutStr("service.name", "service-"+id)
		rm.Resource().Attributes().PutStr("service.instance.id", "instance-"+id)
		rm.Resource().Attributes().PutStr("host.name", "host-"+strconv.Itoa(i))
		sm := rm.ScopeMetrics().AppendEmpty()
		sm.Scope().SetName("cost")
		for j := range batchPoints / resourcesABatch / pointsAMetric {
			m := sm.Metrics().AppendEmpty()
			m.SetName("app.metric." + strconv.Itoa(j))
			dps := m.SetEmptyGauge().DataPoints()
			for k := range pointsAMetric {
				dp := dps.AppendEmpty()
				dp.SetTimestamp(markTime)
				dp.SetDoubleValue(markValue)
				dp.Attributes().PutStr("http.route", "/api/"+strconv.Itoa(k))
				dp.Attributes().PutStr("http.request.method", "GET")
				dp.Attributes().PutInt("http.response.status_code", 200)
			}
		}
	}
	var err error
	if r.bytes, err = pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto(); err != nil {
		return nil, err
	}
	r.times = find(r.bytes, timeTag, markTime)
	r.values = find(r.bytes, valueTag, math.Float64bits(markValue))
	if len(r.times) != batchPoints || len(r.values) != batchPoints {
		return nil, fmt.Errorf("%d timestamps and %d values in a request of %d points", len(r.times), len(r.values), batchPoints)
	}
	return r, nil
}

// Placeholders of timestamps and values until they are overwritten, and the field number and wire type that precede
// each.
const (
	markTime  = 0x7a51c0de7a51c0de
	markValue = 1.2345678901234567e-89
	timeTag   = 3<<3 | 1
	valueTag  = 4<<3 | 1
)

// find returns the offsets of the 8-byte fields with the given tag and value.
func find(b []byte, tag byte, v uint64) (at []int) {
	pattern := binary.LittleEndian.AppendUint64([]byte{tag}, v)
	for from := 0; ; from += len(pattern) {
		i := bytes.Index(b[from:], pattern)
		if i < 0 {
			return at
		}
		from += i
		at = append(at, from+1)
	}
}

// raw is a codec for messages that are already marshaled.
type raw struct{}

// Name returns the name of the codec on the wire.
func (raw) Name() string { return "proto" }

// Marshal returns the bytes that v points to.
func (raw) Marshal(v any) ([]byte, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("cannot marshal %T: the codec accepts *[]byte", v)
	}
	return *b, nil
}

// Unmarshal copies b to the slice that v points to.
func (raw) Unmarshal(b []byte, v any) error {
	to, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("cannot unmarshal into %T: the codec accepts *[]byte", v)
	}
	*to = bytes.Clone(b)
	return nil
}
