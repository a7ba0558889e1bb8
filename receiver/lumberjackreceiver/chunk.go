// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/ecs"
	"github.com/auspex-otel/auspex/internal/excerpt"
	"github.com/auspex-otel/auspex/internal/mask"
	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/wire/bounds"
	"github.com/auspex-otel/auspex/internal/wire/lumberjack"
	"github.com/auspex-otel/auspex/receiver/lumberjackreceiver/internal/metadata"
)

// Reasons for a dead letter.
const (
	letterDepth      = "depth"       // above limits::depth
	letterEventSize  = "event_size"  // above limits::item_bytes
	letterNoPipeline = "no_pipeline" // the event has no metrics, and the receiver is in no pipeline of logs
	letterNotJSON    = "not_json"    // not a JSON object
	letterPermanent  = "permanent"   // a permanent error of the pipeline
	letterValues     = "values"      // above limits::values
)

// keepRaw is the capacity in bytes up to which a chunk's buffer is reused.
const keepRaw = 64 << 10

// damage states why an event cannot be passed to the pipeline.
type damage struct {
	reason string // value of the counter's attribute
	text   string
}

// errNoDirectory states that events cannot be kept, so the client must keep them.
var errNoDirectory = errors.New("dead_letter::directory is not set")

// window holds the progress of a window, by the client's sequence numbers.
type window struct {
	events   int
	version  byte   // of the last event
	last     uint32 // sequence number of the last event
	highest  uint32
	jumps    bool // the numbers do not increase by 1
	accepted bool // a chunk of it was accepted
	upTo     uint32
	pending  int // events that are accepted but not acknowledged
}

func (w *window) add(e lumberjack.Event) {
	w.jumps = w.jumps || w.events > 0 && e.Sequence != w.last+1
	w.highest = max(w.highest, e.Sequence)
	w.version, w.last = e.Version, e.Sequence
	w.events++
}

// end returns the sequence number that acknowledges the whole window.
func (w *window) end() uint32 {
	if w.jumps {
		return w.highest
	}
	return w.last
}

// chunk holds the events that are passed to the pipeline together.
type chunk struct {
	batch   *ecs.Batch
	logs    int    // events among the batch's log records
	metrics int    // events among its metrics
	raw     []byte // the events as received, for dead letters
	ends    []int  // offsets of the ends of events in raw
	damaged map[int]damage
	held    int // bytes of memory reserved for it
}

func (p *chunk) reset(scopeVersion string) {
	p.batch, p.damaged, p.logs, p.metrics = ecs.NewBatch(metadata.ScopeName, scopeVersion), nil, 0, 0
	p.raw, p.ends, p.held = p.raw[:0], p.ends[:0], 0
	if cap(p.raw) > keepRaw {
		p.raw = nil
	}
}

func (p *chunk) event(i int) []byte {
	if i == 0 {
		return p.raw[:p.ends[0]]
	}
	return p.raw[p.ends[i-1]:p.ends[i]]
}

// take processes one event of a window.
func (c *connection) take(e lumberjack.Event) error {
	content := e.JSON
	if content == nil {
		content = jsonOf(e.Pairs)
	}
	values, depth := bounds.JSON(content)
	wrong := c.server.check(e, values, depth)
	need := len(content)
	if wrong == nil {
		need += bounds.Cost(len(content), values)
	}
	// Reserve may hand over the events before this one.
	if err := c.Reserve(need); err != nil {
		return err
	}
	p := &c.chunk
	p.held += need
	c.window.add(e)
	p.raw = append(p.raw, content...)
	p.ends = append(p.ends, len(p.raw))
	if wrong == nil {
		wrong = p.add(content, c.server.nextMetrics != nil, c.server.nextLogs != nil)
	}
	if wrong != nil {
		p.damage(*wrong)
	}
	if len(p.ends) < c.server.cfg.Chunk.Items && len(p.raw) < c.server.cfg.Chunk.Bytes {
		return nil
	}
	return c.handOver(false)
}

// check returns the limit that an event exceeds, or nil.
func (s *server) check(e lumberjack.Event, values, depth int) *damage {
	switch l := s.cfg.Limits; {
	case e.Omitted > 0:
		return &damage{letterEventSize, fmt.Sprintf("has %d bytes, limits::item_bytes is %d: only its beginning is kept", len(e.JSON)+e.Omitted, l.ItemBytes)}
	case depth > l.Depth:
		return &damage{letterDepth, fmt.Sprintf("is nested %d levels deep, limits::depth is %d", depth, l.Depth)}
	case values > l.Values:
		return &damage{letterValues, fmt.Sprintf("has %d values, limits::values is %d", values, l.Values)}
	}
	return nil
}

// add adds an event to the batch. Metrics also become a log record if no pipeline receives
// metrics.
func (p *chunk) add(content []byte, metrics, logs bool) *damage {
	event, err := ecs.Parse(content)
	if err != nil {
		return &damage{letterNotJSON, err.Error()}
	}
	observed := pcommon.NewTimestampFromTime(time.Now())
	event.RouteOfBeat()
	switch {
	case metrics && event.IsMetrics():
		p.batch.AddMetrics(event, observed)
		p.metrics++
	case logs:
		p.batch.AddLog(event, event.ID(), observed)
		p.logs++
	default:
		return &damage{letterNoPipeline, "has no metrics, and the receiver is in no pipeline of logs"}
	}
	return nil
}

// damage records why the last event cannot be passed to the pipeline.
func (p *chunk) damage(d damage) {
	if p.damaged == nil {
		p.damaged = map[int]damage{}
	}
	p.damaged[len(p.ends)-1] = d
}

// handOver delivers a chunk and acknowledges it. Any error closes the connection, and the peer
// sends the unacknowledged events again.
func (c *connection) handOver(last bool) error {
	p := &c.chunk
	events := len(p.ends)
	if events == 0 && !last {
		return nil
	}
	if events > 0 {
		if err := c.deliver(); err != nil {
			return err
		}
		c.Release(p.held)
		p.reset(c.server.set.BuildInfo.Version)
		c.window.pending += events
	}
	return c.acknowledge(last)
}

// deliver returns nil when the pipeline has accepted the chunk, or its events are dead letters on
// disk.
func (c *connection) deliver() error {
	p := &c.chunk
	if n := len(p.damaged); n > 0 && c.server.letters == nil {
		// The pipeline does not get the other events: the client repeats all of them with the
		// damaged ones.
		return &failure{reasonDeadLetter, fmt.Sprintf("the peer sent %d events that are not JSON objects, exceed a limit, or that no pipeline takes, and they cannot be kept as dead letters", n), errNoDirectory}
	}
	err := c.consume()
	if err != nil && !receiverutil.Permanent(err) {
		return &failure{reasonRetryable, "the pipeline returned a retryable error, the peer sends the events again", err}
	}
	if err != nil || len(p.damaged) > 0 {
		return c.bury(err)
	}
	return nil
}

// consume calls the next consumers, and sends keep-alive acknowledgements meanwhile. If the first
// accepts its events and the second does not, both get them again.
func (c *connection) consume() error {
	p, s := &c.chunk, c.server
	if p.logs+p.metrics == 0 {
		return nil
	}
	// Version 1 has no acknowledgement of zero events.
	if w := &c.window; w.accepted || w.version == lumberjack.Version2 {
		defer c.acks.keepAlive(s.cfg.KeepAlive, w.version, w.upTo)()
	}
	var logsErr, metricsErr error
	if p.logs > 0 {
		ctx := s.obs.StartLogsOp(c.ctx)
		logsErr = s.nextLogs.ConsumeLogs(ctx, p.batch.Logs)
		s.obs.EndLogsOp(ctx, "lumberjack", p.logs, logsErr)
	}
	if p.metrics > 0 {
		points := p.batch.Metrics.DataPointCount()
		ctx := s.obs.StartMetricsOp(c.ctx)
		metricsErr = s.nextMetrics.ConsumeMetrics(ctx, p.batch.Metrics)
		s.obs.EndMetricsOp(ctx, "lumberjack", points, metricsErr)
	}
	return mask.Error(errors.Join(logsErr, metricsErr))
}

// bury writes dead letters: all events if the pipeline rejected them permanently, otherwise the
// damaged ones.
func (c *connection) bury(rejected error) error {
	p := &c.chunk
	if c.server.letters == nil {
		return &failure{reasonDeadLetter, fmt.Sprintf("%d events cannot be delivered or written to the dead letter, the peer sends them again", len(p.ends)), errors.Join(rejected, errNoDirectory)}
	}
	var letters []deadletter.Letter
	counts := map[string]int{}
	for i := range p.ends {
		wrong, ok := p.damaged[i]
		switch {
		case ok:
		case rejected != nil:
			wrong = damage{letterPermanent, rejected.Error()}
		default:
			continue
		}
		counts[wrong.reason]++
		letters = append(letters, deadletter.Letter{Items: 1, Reason: wrong.text, Attributes: map[string]string{"peer": c.peer}, Payload: p.event(i)})
	}
	discarded, err := c.server.letters.Write(letters)
	if discarded > 0 {
		c.server.telemetry.ReceiverLumberjackDeadLettersDiscarded.Add(c.ctx, int64(discarded))
	}
	if err != nil {
		return &failure{reasonDeadLetter, fmt.Sprintf("%d events cannot be delivered or written to the dead letter, the peer sends them again", len(letters)), errors.Join(rejected, err)}
	}
	for reason, n := range counts {
		c.server.telemetry.ReceiverLumberjackDeadLetters.Add(c.ctx, int64(n), metric.WithAttributes(attribute.String("reason", reason)))
	}
	c.server.log.Error("dead letters", len(letters), "Events cannot be delivered; they were written to the dead letter and acknowledged",
		zap.String("peer", c.peer), zap.String("folder", c.server.letters.Folder()), zap.String("first_reason", excerpt.Of(letters[0].Reason)))
	return nil
}

// acknowledge sends the sequence number of the accepted events. Within a window it acknowledges
// only if the numbers so far are consecutive. Otherwise the number could cover events that were
// not read yet.
func (c *connection) acknowledge(last bool) error {
	w := &c.window
	if w.pending == 0 || !last && w.jumps {
		return nil
	}
	if err := c.acks.send(w.version, w.end()); err != nil {
		return err
	}
	c.server.telemetry.ReceiverLumberjackAcknowledgedEvents.Add(c.ctx, int64(w.pending))
	w.accepted, w.upTo, w.pending = true, w.end(), 0
	return nil
}
