// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Signal is the signal of a batch.
type Signal uint8

// The signals.
const (
	SignalMetrics Signal = iota
	SignalLogs
	SignalTraces
)

// Batch is a message of one signal.
type Batch struct {
	Signal  Signal
	Metrics pmetric.Metrics // only of its signal, like Logs and Traces
	Logs    plog.Logs
	Traces  ptrace.Traces
	// Points counts the data points. Earliest is the first event time in nanoseconds, or 0 if there is none. Latest is
	// the last one of data points.
	Points           int
	Earliest, Latest int64
}

// ErrSignal is returned for bytes that are not OTLP.
var ErrSignal = errors.New("not OTLP: the message contains no metrics, logs, or traces")

// Decode decodes OTLP, as JSON or as proto. A proto message does not state its signal. Field numbers and types of the
// three signals differ within records, so only the right one can be decoded.
func Decode(b []byte) (Batch, error) {
	if len(b) > 0 && b[0] == '{' {
		return decodeJSON(b)
	}
	for _, signal := range []Signal{SignalMetrics, SignalLogs, SignalTraces} {
		if x, err := DecodeProto(signal, b); err == nil {
			return x, nil
		}
	}
	return Batch{}, ErrSignal
}

// DecodeProto decodes the proto message of a signal.
func DecodeProto(signal Signal, b []byte) (Batch, error) {
	var err error
	x := Batch{Signal: signal}
	switch signal {
	case SignalLogs:
		x.Logs, err = (&plog.ProtoUnmarshaler{}).UnmarshalLogs(b)
	case SignalTraces:
		x.Traces, err = (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b)
	default:
		x.Metrics, err = (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(b)
	}
	if err != nil {
		return Batch{}, fmt.Errorf("not OTLP: %w", err)
	}
	x.measure()
	return x, nil
}

func decodeJSON(b []byte) (x Batch, err error) {
	key, _, _ := bytes.Cut(bytes.TrimLeft(b[1:], " \t\r\n\""), []byte{'"'})
	switch string(key) {
	case "resourceMetrics":
		x.Metrics, err = (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(b)
	case "resourceLogs":
		x.Signal = SignalLogs
		x.Logs, err = (&plog.JSONUnmarshaler{}).UnmarshalLogs(b)
	case "resourceSpans":
		x.Signal = SignalTraces
		x.Traces, err = (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(b)
	default:
		if !bytes.Equal(bytes.Join(bytes.Fields(b), nil), []byte("{}")) {
			return x, ErrSignal
		}
		x.Metrics = pmetric.NewMetrics()
	}
	if err != nil {
		return x, fmt.Errorf("not OTLP JSON: %w", err)
	}
	x.measure()
	return x, nil
}

// measure sets the number of data points and the times.
func (x *Batch) measure() {
	if x.Signal == SignalMetrics {
		x.Points = x.Metrics.DataPointCount()
	}
	earliest, latest := x.times()
	if earliest != math.MaxInt64 {
		x.Earliest = earliest
	}
	x.Latest = latest
}
