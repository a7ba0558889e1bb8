// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/auspex-otel/auspex/internal/ecs"
	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/wire/bounds"
	"github.com/auspex-otel/auspex/internal/wire/esbulk"
	"github.com/auspex-otel/auspex/receiver/elasticsearchbulkreceiver/internal/metadata"
)

// Reasons for a rejected item, in addition to those of the codec.
const (
	itemRetryable  = "retryable"   // a retryable error of the pipeline
	itemMemory     = "memory"      // limits::memory_bytes is in use
	itemNoPipeline = "no_pipeline" // a log record, and the receiver is in no pipeline of logs
	itemPermanent  = "permanent"   // a permanent error of the pipeline
)

// delivery passes the items of a request to the pipeline, in chunks, and records the result of
// each.
type delivery struct {
	server   *server
	ticket   *receiverutil.Ticket
	ctx      context.Context
	ids      ids
	observed pcommon.Timestamp
	outcomes []esbulk.Outcome
	busy     error // the pipeline returned a retryable error: the remaining items are not tried
	busyOnes int
	accepted int
	refused  map[string]int

	batch         *ecs.Batch
	logs, metrics []int // indexes of the items in the batch
	bytes         int
	held          int // bytes of memory reserved for the batch
}

// outcomeCost is the memory of the result of an item and of its entry in the answer, in bytes.
const outcomeCost = 512

func newDelivery(ctx context.Context, s *server, ticket *receiverutil.Ticket) *delivery {
	d := &delivery{server: s, ticket: ticket, ctx: ctx, ids: newIDs(), observed: pcommon.NewTimestampFromTime(time.Now()), refused: map[string]int{}}
	d.reset()
	return d
}

func (d *delivery) reset() {
	d.ticket.Release(d.held)
	d.held = 0
	d.batch = ecs.NewBatch(metadata.ScopeName, d.server.set.BuildInfo.Version)
	d.logs, d.metrics, d.bytes = d.logs[:0], d.metrics[:0], 0
}

// take processes one item of a request.
func (d *delivery) take(item esbulk.Item) error {
	if err := d.reserve(outcomeCost); err != nil {
		return err
	}
	d.outcomes = append(d.outcomes, esbulk.Outcome{Op: item.Op, Index: item.Index, ID: item.ID})
	n := len(d.outcomes) - 1
	switch {
	case item.Problem != nil:
		d.wrong(n, item.Problem)
	case d.busy != nil:
		d.fail(n, http.StatusTooManyRequests, kindBusy, d.busy.Error(), itemRetryable)
	default:
		d.try(n, item)
	}
	return nil
}

// try adds item n to the batch if the item is valid and memory is available.
func (d *delivery) try(n int, item esbulk.Item) {
	need := bounds.Cost(len(item.Document), item.Values)
	if err := d.reserve(need); err != nil {
		d.fail(n, http.StatusTooManyRequests, kindBusy, err.Error(), itemMemory)
		return
	}
	d.held += need
	event, fault := parse(item)
	if fault != nil {
		d.wrong(n, fault)
		return
	}
	d.add(n, event, item)
	d.bytes += len(item.Document)
	if len(d.logs)+len(d.metrics) >= d.server.cfg.Chunk.Items || d.bytes >= d.server.cfg.Chunk.Bytes {
		d.handOver()
	}
}

// reserve reserves memory. If not enough is free, it hands over the batch, which frees the
// batch's memory.
func (d *delivery) reserve(n int) error {
	err := d.ticket.Reserve(n)
	if err != nil && d.held > 0 {
		d.handOver()
		err = d.ticket.Reserve(n)
	}
	return err
}

// wrong records the error of an item.
func (d *delivery) wrong(n int, fault *esbulk.Error) {
	switch fault.Reason {
	case esbulk.ReasonMemory:
		d.fail(n, http.StatusTooManyRequests, kindBusy, fault.Text, itemMemory)
	case esbulk.ReasonNotJSON, esbulk.ReasonUTF8, esbulk.ReasonDepth, esbulk.ReasonEventSize, esbulk.ReasonValues:
		d.fail(n, http.StatusBadRequest, kindParsing, fault.Text, string(fault.Reason))
	default:
		d.fail(n, http.StatusBadRequest, kindArgument, fault.Text, string(fault.Reason))
	}
}

// parse reads the event of an item. It returns an error if the item is invalid.
func parse(item esbulk.Item) (ecs.Fields, *esbulk.Error) {
	document := item.Document
	if item.Op == esbulk.Update {
		var problem *esbulk.Error
		if document, problem = esbulk.Partial(document); problem != nil {
			return nil, problem
		}
	}
	event, err := ecs.Parse(document)
	if err != nil {
		return nil, &esbulk.Error{Reason: esbulk.ReasonNotJSON, Text: "the document " + err.Error()}
	}
	return event, nil
}

// add adds an event to the batch, with its index.
func (d *delivery) add(n int, event ecs.Fields, item esbulk.Item) {
	op := item.Op
	if op == esbulk.Create || item.ID == "" && op == esbulk.Index {
		op = "" // the document is written only once
	}
	event.Route(item.Index, item.ID, item.Pipeline, op)
	out := &d.outcomes[n]
	switch s := d.server; {
	case s.metrics != nil && event.IsMetrics():
		d.batch.AddMetrics(event, d.observed)
		d.metrics = append(d.metrics, n)
	case s.logs != nil:
		id := event.ID()
		if id == "" {
			id = d.ids.next()
		}
		if out.ID == "" {
			out.ID = id
		}
		d.batch.AddLog(event, id, d.observed)
		d.logs = append(d.logs, n)
	default:
		d.fail(n, http.StatusBadRequest, kindArgument, "the document has no metrics, and the receiver is in no pipeline of logs", itemNoPipeline)
	}
}

// handOver passes the batch to the pipeline.
func (d *delivery) handOver() {
	s := d.server
	if n := len(d.logs); n > 0 {
		ctx := s.obs.StartLogsOp(d.ctx)
		err := s.logs.ConsumeLogs(ctx, d.batch.Logs)
		s.obs.EndLogsOp(ctx, "elasticsearch_bulk", n, err)
		d.settle(d.logs, err)
	}
	if len(d.metrics) > 0 {
		points := d.batch.Metrics.DataPointCount()
		ctx := s.obs.StartMetricsOp(d.ctx)
		err := s.metrics.ConsumeMetrics(ctx, d.batch.Metrics)
		s.obs.EndMetricsOp(ctx, "elasticsearch_bulk", points, err)
		d.settle(d.metrics, err)
	}
	d.reset()
}

// settle records the result of the pipeline for items.
func (d *delivery) settle(items []int, err error) {
	rejection := receiverutil.Reject(err, http.StatusTooManyRequests)
	for _, n := range items {
		switch {
		case rejection == nil:
			d.accepted++
			d.outcomes[n].Status = http.StatusCreated
			if d.outcomes[n].Op == esbulk.Update {
				d.outcomes[n].Status = http.StatusOK
			}
		case rejection.Status == http.StatusTooManyRequests:
			d.busy = err
			d.fail(n, rejection.Status, kindBusy, rejection.Err.Error(), itemRetryable)
		default:
			d.fail(n, rejection.Status, kindArgument, rejection.Err.Error(), itemPermanent)
		}
	}
}

// maxReason bounds the reason of an item, in bytes.
const maxReason = 256

func (d *delivery) fail(n, status int, kind, text, reason string) {
	if status == http.StatusTooManyRequests {
		d.busyOnes++
	}
	d.refused[reason]++
	// The answer repeats the text for each item.
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	d.outcomes[n].Result = esbulk.Result{Status: status, Type: kind, Reason: text}
}

// whole returns the response to a request of which the pipeline accepted nothing because of
// retryable errors.
func (d *delivery) whole() *refusal {
	if d.busyOnes == 0 || d.busyOnes < len(d.outcomes) {
		return nil
	}
	return &refusal{http.StatusTooManyRequests, kindBusy, d.outcomes[0].Reason, reasonRetryable}
}

func (d *delivery) count() {
	ctx, t := context.WithoutCancel(d.ctx), d.server.telemetry
	if d.accepted > 0 {
		t.ReceiverElasticsearchBulkAcceptedItems.Add(ctx, int64(d.accepted))
	}
	for reason, n := range d.refused {
		t.ReceiverElasticsearchBulkRefusedItems.Add(ctx, int64(n), metric.WithAttributes(attribute.String("reason", reason)))
	}
}

// ids generates unique ids for documents without one: 20 characters, like those of Elasticsearch.
type ids struct {
	bytes [15]byte
	n     uint32
}

func newIDs() (i ids) {
	_, _ = rand.Read(i.bytes[:])
	return i
}

func (i *ids) next() string {
	binary.BigEndian.PutUint32(i.bytes[11:], i.n)
	i.n++
	return base64.RawURLEncoding.EncodeToString(i.bytes[:])
}
