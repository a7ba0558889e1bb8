// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// edit changes one message of each signal in place. A nil function drops the signal.
type edit struct {
	metrics func(pmetric.Metrics)
	logs    func(plog.Logs)
	traces  func(ptrace.Traces)
}

// keep returns an edit without changes.
func keep() edit {
	return edit{func(pmetric.Metrics) {}, func(plog.Logs) {}, func(ptrace.Traces) {}}
}

// copyAll writes an edited copy of all files of a folder.
func copyAll(from, to string, e edit) error {
	if err := os.MkdirAll(to, 0o750); err != nil {
		return err
	}
	return eachFile(from, func(name string) error { return copyFile(name, filepath.Join(to, filepath.Base(name)), e) })
}

// lookAt passes every message of a folder to an edit.
func lookAt(dir string, e edit) error {
	return eachFile(dir, func(name string) error {
		return eachLine(name, func(line []byte) error {
			_, err := e.apply(line)
			return err
		})
	})
}

func eachFile(dir string, take func(name string) error) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl.gz"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := take(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func copyFile(from, to string, e edit) error {
	var out bytes.Buffer
	packed, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return err
	}
	err = eachLine(from, func(line []byte) error {
		encode, err := e.apply(line)
		if err != nil || encode == nil {
			return err
		}
		line, err = encode()
		_, _ = packed.Write(append(line, '\n')) // in memory, so without errors
		return err
	})
	if err = errors.Join(err, packed.Close()); err != nil {
		return err
	}
	return os.WriteFile(to, out.Bytes(), 0o600)
}

func eachLine(name string, take func(line []byte) error) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	in, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		if err := take(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// apply edits the message of a line. It returns a function that encodes the result, or nil if the edit drops it.
func (e edit) apply(line []byte) (encode func() ([]byte, error), err error) {
	var signal map[string]json.RawMessage
	if err := json.Unmarshal(line, &signal); err != nil {
		return nil, err
	}
	switch {
	case signal["resourceMetrics"] != nil:
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
		if err != nil || e.metrics == nil {
			return nil, err
		}
		e.metrics(md)
		return func() ([]byte, error) { return (&pmetric.JSONMarshaler{}).MarshalMetrics(md) }, nil
	case signal["resourceLogs"] != nil:
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
		if err != nil || e.logs == nil {
			return nil, err
		}
		e.logs(ld)
		return func() ([]byte, error) { return (&plog.JSONMarshaler{}).MarshalLogs(ld) }, nil
	default:
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
		if err != nil || e.traces == nil {
			return nil, err
		}
		e.traces(td)
		return func() ([]byte, error) { return (&ptrace.JSONMarshaler{}).MarshalTraces(td) }, nil
	}
}

// sevenWeeks keeps weekday and time of day.
const sevenWeeks = 7 * 7 * 24 * time.Hour

// disguise renames every service, pod, and operation and moves all times.
type disguise struct {
	random *rand.Rand
	names  map[string]string // old to new
	truth  map[string]string // new service name to old
	shift  time.Duration
}

func newDisguise(seed uint64, shift time.Duration) *disguise {
	return &disguise{random: rand.New(rand.NewPCG(seed, 1)), names: map[string]string{}, truth: map[string]string{}, shift: shift}
}

// name returns the new name of an item. It is always the same and has another length.
func (d *disguise) name(kind, old string) string {
	key := kind + "\x00" + old
	if d.names[key] == "" {
		b := make([]byte, 3+d.random.IntN(20))
		for i := range b {
			b[i] = 'a' + byte(d.random.IntN(26))
		}
		d.names[key] = fmt.Sprintf("%s%d", b, len(d.names))
		if kind == "service.name" {
			d.truth[d.names[key]] = old
		}
	}
	return d.names[key]
}

func (d *disguise) resource(r pcommon.Resource) (service string) {
	for key, v := range r.Attributes().All() {
		if key == "service.name" {
			service = v.Str()
		}
		v.SetStr(d.name(key, v.Str()))
	}
	return service
}

func (d *disguise) time(t pcommon.Timestamp) pcommon.Timestamp { return t + pcommon.Timestamp(d.shift) }

func (d *disguise) edit() edit {
	return edit{
		metrics: func(md pmetric.Metrics) {
			for _, rm := range md.ResourceMetrics().All() {
				d.resource(rm.Resource())
				for _, sm := range rm.ScopeMetrics().All() {
					for _, m := range sm.Metrics().All() {
						for _, p := range m.Gauge().DataPoints().All() {
							p.SetTimestamp(d.time(p.Timestamp()))
						}
					}
				}
			}
		},
		logs: func(ld plog.Logs) {
			for _, rl := range ld.ResourceLogs().All() {
				d.resource(rl.Resource())
				for _, sl := range rl.ScopeLogs().All() {
					for _, l := range sl.LogRecords().All() {
						l.SetTimestamp(d.time(l.Timestamp()))
					}
				}
			}
		},
		traces: func(td ptrace.Traces) {
			for _, rs := range td.ResourceSpans().All() {
				service := d.resource(rs.Resource())
				for _, ss := range rs.ScopeSpans().All() {
					for _, s := range ss.Spans().All() {
						s.SetName(d.name("operation of "+service, s.Name()))
						s.SetStartTimestamp(d.time(s.StartTimestamp()))
						s.SetEndTimestamp(d.time(s.EndTimestamp()))
					}
				}
			}
		},
	}
}

// askLayout is the format of fault times.
const askLayout = "2006-01-02 15:04:05Z"

// moved returns the time of a fault moved later.
func moved(at string, by time.Duration) (string, error) {
	t, err := time.Parse(askLayout, at)
	return t.Add(by).Format(askLayout), err
}

// undo returns predictions with the original names.
func (d *disguise) undo(list []prediction) ([]prediction, error) {
	list = slices.Clone(list)
	for i, p := range list {
		at, err := moved(p.InjectedAt, -d.shift)
		if err != nil {
			return nil, err
		}
		list[i] = prediction{InjectedAt: at, Suspects: make([]string, len(p.Suspects))}
		for j, s := range p.Suspects {
			list[i].Suspects[j] = d.truth[s]
		}
	}
	return list, nil
}
