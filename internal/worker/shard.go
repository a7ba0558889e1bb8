// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/findings"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/replay"
)

// shards answers the requests of the interface for shards.
type shards struct {
	keys     *table[*replay.Shard]
	encode   func(out *bytes.Buffer, events engine.Events) error
	findings bytes.Buffer // of the present request
	failed   error
}

// finding is one line of a reply.
type finding struct {
	Anomaly  *incident.Anomaly  `json:"anomaly,omitempty"`
	Incident *incident.Incident `json:"incident,omitempty"`
}

func newShards(cfg engine.Config, o Options, h hello) (*shards, error) {
	s := &shards{}
	switch h.Findings {
	case "", findingsJSON:
		s.encode = encodeJSON
	case findingsOTLP:
		s.encode = encodeOTLP
	default:
		return nil, fmt.Errorf("hello: findings is %q: must be %s or %s", h.Findings, findingsJSON, findingsOTLP)
	}
	hooks := replay.Hooks{Findings: s.collect}
	s.keys = newTable(o,
		func() *replay.Shard { return h.shard(replay.NewShard(cfg, hooks)) },
		func(state []byte) (*replay.Shard, error) {
			shard, err := replay.LoadShard(cfg, hooks, state)
			if err != nil {
				return nil, err
			}
			return h.shard(shard), nil
		})
	return s, nil
}

// shard applies the settings of a hello to a shard.
func (h hello) shard(s *replay.Shard) *replay.Shard {
	if h.Ordered {
		s.InOrder()
	}
	return s
}

// collect adds findings to the reply.
func (s *shards) collect(events engine.Events) {
	s.failed = errors.Join(s.failed, s.encode(&s.findings, events))
}

// encodeJSON writes a line for each finding.
func encodeJSON(out *bytes.Buffer, events engine.Events) (err error) {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	for _, a := range events.Anomalies {
		err = errors.Join(err, e.Encode(finding{Anomaly: a}))
	}
	for _, i := range events.Incidents {
		err = errors.Join(err, e.Encode(finding{Incident: i}))
	}
	return err
}

// encodeOTLP writes OTLP logs with a resource for each finding. Messages one after the other are one message.
func encodeOTLP(out *bytes.Buffer, events engine.Events) (err error) {
	write := func(one engine.Events) {
		b, failed := (&plog.ProtoMarshaler{}).MarshalLogs(findings.Logs(one))
		out.Write(b)
		err = errors.Join(err, failed)
	}
	for _, a := range events.Anomalies {
		write(engine.Events{Anomalies: []*incident.Anomaly{a}})
	}
	for _, i := range events.Incidents {
		write(engine.Events{Incidents: []*incident.Incident{i}})
	}
	return err
}

// reply returns the findings since the last one.
func (s *shards) reply() ([]byte, error) {
	b, err := bytes.Clone(s.findings.Bytes()), s.failed
	s.findings.Reset()
	s.failed = nil
	return b, err
}

var signals = map[byte]replay.Signal{'m': replay.SignalMetrics, 'l': replay.SignalLogs, 't': replay.SignalTraces}

func (s *shards) observe(key string, body []byte) ([]byte, error) {
	if err := checkShard(key); err != nil {
		return nil, err
	}
	batch, err := decode(body)
	if err != nil {
		return nil, fmt.Errorf("shard %q: %w", key, err)
	}
	if err := s.keys.admit([]string{key}); err != nil {
		return nil, err
	}
	shard, err := s.keys.get(key)
	if err != nil {
		return nil, err
	}
	if err := shard.AddNext(batch); err != nil {
		return nil, err
	}
	return s.reply()
}

// decode decodes a signal and its message, proto or JSON.
func decode(body []byte) (replay.Batch, error) {
	if len(body) == 0 {
		return replay.Batch{}, errors.New("the request has no body: must be a signal and OTLP")
	}
	signal, ok := signals[body[0]]
	if !ok {
		return replay.Batch{}, fmt.Errorf("unknown signal %q: must be m, l, or t", body[0])
	}
	if len(body) == 1 || body[1] != '{' {
		return replay.DecodeProto(signal, body[1:])
	}
	batch, err := replay.Decode(body[1:])
	if err == nil && batch.Signal != signal {
		err = fmt.Errorf("the message is not of signal %q", body[0])
	}
	return batch, err
}

func (s *shards) snapshot(key string) ([]byte, error) { return s.keys.snapshot(key) }

func (s *shards) restore(key string, state []byte) error {
	if err := checkShard(key); err != nil {
		return err
	}
	return s.keys.restore("shard", key, state)
}

func (s *shards) flush(key string) ([]byte, error) {
	if !s.keys.known(key) {
		return nil, unknownKey(key)
	}
	shard, err := s.keys.get(key)
	if err != nil {
		return nil, err
	}
	if err := shard.End(); err != nil {
		return nil, err
	}
	s.keys.drop(key)
	return s.reply()
}

func (s *shards) drop(key string) error {
	if err := checkShard(key); err != nil {
		return err
	}
	s.keys.drop(key)
	return nil
}

// gauges returns the gauges of the services of a shard since the last such request, as OTLP metrics.
func (s *shards) gauges(key string) ([]byte, error) {
	if !s.keys.known(key) {
		return nil, unknownKey(key)
	}
	shard, err := s.keys.get(key)
	if err != nil {
		return nil, err
	}
	pending := shard.Engine().PendingGauges()
	shard.Engine().DeliveredGauges(pending)
	return (&pmetric.ProtoMarshaler{}).MarshalMetrics(findings.Metrics(pending))
}

func (s *shards) version() string { return replay.ShardVersion() }

func checkShard(key string) error {
	if key == "" {
		return errors.New("the request has no key: must be the name of a shard")
	}
	return nil
}
