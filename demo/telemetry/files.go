// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// files writes the format of a collector's file exporter: one line of JSON per request.
type files struct {
	traces, logs, metrics *file
}

type file struct {
	file *os.File
	zip  *gzip.Writer
}

// Files returns a sink that writes a gzip-compressed file per signal into a folder.
func Files(folder string) (Sink, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, err
	}
	f := &files{}
	for name, into := range map[string]**file{"traces.jsonl.gz": &f.traces, "logs.jsonl.gz": &f.logs, "metrics.jsonl.gz": &f.metrics} {
		opened, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		zip, err := gzip.NewWriterLevel(opened, gzip.BestSpeed)
		if err != nil {
			return nil, errors.Join(err, opened.Close(), f.Close())
		}
		*into = &file{opened, zip}
	}
	return f, nil
}

// Send writes a line for each signal with data.
func (f *files) Send(_ context.Context, b Batch) error {
	var errs []error
	if b.Traces.SpanCount() > 0 {
		line, err := (&ptrace.JSONMarshaler{}).MarshalTraces(b.Traces)
		errs = append(errs, err, f.traces.write(line))
	}
	if b.Logs.LogRecordCount() > 0 {
		line, err := (&plog.JSONMarshaler{}).MarshalLogs(b.Logs)
		errs = append(errs, err, f.logs.write(line))
	}
	line, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(b.Metrics)
	return errors.Join(append(errs, err, f.metrics.write(line))...)
}

func (f *files) Close() error {
	return errors.Join(f.traces.close(), f.logs.close(), f.metrics.close())
}

func (f *file) write(line []byte) error {
	_, err := f.zip.Write(append(line, '\n'))
	return err
}

func (f *file) close() error {
	if f == nil {
		return nil
	}
	return errors.Join(f.zip.Close(), f.file.Close())
}
