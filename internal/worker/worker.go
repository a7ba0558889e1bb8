// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/auspex-otel/auspex/internal/engine"
)

// Protocol is the version of the protocol.
const Protocol = 1

// The interfaces of a worker.
const (
	InterfaceSeries = "series"
	InterfaceShard  = "shard"
)

// Options holds the arguments of a worker.
type Options struct {
	Interface string // InterfaceSeries or InterfaceShard
	Version   string // of the program
	Memory    int    // maximum bytes of the states of keys that are not in use
	Live      int    // maximum number of keys in use, as engines
}

// hello is the first request.
type hello struct {
	Protocol int      `json:"protocol"`
	Engine   settings `json:"engine"`
	Findings string   `json:"findings"` // format of the findings of shards
	Ordered  bool     `json:"ordered"`  // the messages of a shard are in the order of time
}

// The formats of findings.
const (
	findingsJSON = "json"
	findingsOTLP = "otlp"
)

// settings are the settings of the engine, those of the flags of a backtest.
type settings struct {
	FalseAlarms *float64 `json:"false_alarms"`
	MaxAlpha    *float64 `json:"max_alpha"`
	Zone        string   `json:"zone"`
}

// welcome is the reply to hello.
type welcome struct {
	Protocol  int    `json:"protocol"`
	Version   string `json:"version"`
	Interface string `json:"interface"`
	State     string `json:"state"` // version of the states
}

// failure is the body of an error reply.
type failure struct {
	Error string `json:"error"`
	Row   *int   `json:"row,omitempty"`
}

// rowError is an error in one row of a request.
type rowError struct {
	row int
	error
}

func (e rowError) Unwrap() error { return e.error }

// handler answers the requests after hello.
type handler interface {
	observe(key string, body []byte) ([]byte, error)
	snapshot(key string) ([]byte, error)
	restore(key string, state []byte) error
	flush(key string) ([]byte, error)
	drop(key string) error
	gauges(key string) ([]byte, error)
	version() string // of the states
}

// Run answers requests until the input ends. It returns an error if the input is not a sequence of messages that begins
// with hello, or if a reply cannot be written. It has then written an error reply if that was possible.
func Run(in io.Reader, out io.Writer, o Options) error {
	r, w := bufio.NewReaderSize(in, 1<<16), bufio.NewWriterSize(out, 1<<16)
	fail := func(m message, err error) error { return errors.Join(err, writeMessage(w, errorReply(m.key, err))) }
	m, err := readMessage(r)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return fail(m, err)
	}
	h, err := begin(m, o)
	if err != nil {
		return fail(m, err)
	}
	body, err := json.Marshal(welcome{Protocol, o.Version, o.Interface, h.version()})
	if err != nil {
		return err
	}
	if err := writeMessage(w, message{kind: typeResult, body: body}); err != nil {
		return err
	}
	for {
		m, err := readMessage(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fail(m, err)
		}
		body, err := answer(h, m)
		reply := message{kind: typeResult, key: m.key, body: body}
		if err != nil {
			reply = errorReply(m.key, err)
		}
		if err := writeMessage(w, reply); err != nil {
			return fail(m, err)
		}
	}
}

// begin returns the handler for the requests after m, which must be hello.
func begin(m message, o Options) (handler, error) {
	if m.kind != typeHello {
		return nil, fmt.Errorf("the first message has type %q: must be hello, %q", m.kind, typeHello)
	}
	var h hello
	d := json.NewDecoder(bytes.NewReader(m.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return nil, fmt.Errorf("hello: %w", err)
	}
	if h.Protocol != Protocol {
		return nil, fmt.Errorf("hello has protocol %d, this worker (version %s) has protocol %d: use a package and a worker of the same release", h.Protocol, o.Version, Protocol)
	}
	cfg, err := h.Engine.config()
	if err != nil {
		return nil, fmt.Errorf("hello: engine: %w", err)
	}
	switch {
	case o.Interface == InterfaceShard:
		return newShards(cfg, o, h)
	case h.Findings != "" || h.Ordered:
		return nil, errors.New("hello: findings and ordered: these are for shards, omit them")
	default:
		return newSeries(cfg, o), nil
	}
}

func (s settings) config() (engine.Config, error) {
	cfg := engine.DefaultConfig()
	if s.FalseAlarms != nil {
		cfg.FalseAlarms.Count = *s.FalseAlarms
	}
	if s.MaxAlpha != nil {
		cfg.FalseAlarms.MaxAlpha = *s.MaxAlpha
	}
	cfg.TimeZone = s.Zone
	return cfg, cfg.Validate()
}

func answer(h handler, m message) ([]byte, error) {
	switch m.kind {
	case typeObserve:
		return h.observe(m.key, m.body)
	case typeSnapshot:
		return h.snapshot(m.key)
	case typeRestore:
		return nil, h.restore(m.key, m.body)
	case typeFlush:
		return h.flush(m.key)
	case typeDrop:
		return nil, h.drop(m.key)
	case typeGauges:
		return h.gauges(m.key)
	default:
		return nil, fmt.Errorf("unknown message type %q", m.kind)
	}
}

func errorReply(key string, err error) message {
	f := failure{Error: err.Error()}
	if at, ok := errors.AsType[rowError](err); ok {
		f.Row = &at.row
	}
	body, err := json.Marshal(f)
	if err != nil { // a text and a number can always be encoded
		body = []byte(`{"error":"unknown"}`)
	}
	return message{kind: typeError, key: key, body: body}
}
