// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"compress/gzip"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// record is the release whose state TestReleases writes before it reads it, as in
// `go test -run TestReleases ./e2e -record 0.1.0`.
var record = flag.String("record", "", "write the state of this release into testdata/releases")

// queued is the body of the log record in the queue of each release.
const queued = "order 7 was paid"

// TestReleases starts the collector with the configuration, the snapshot, and the queue of each earlier release. The
// collector must read the snapshot, or name its version in the log, and must deliver the queue.
func TestReleases(t *testing.T) {
	if *record != "" {
		recordRelease(t, peertest.TestData(t, "releases", *record))
	}
	releases, err := filepath.Glob(peertest.TestData(t, "releases", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, releases)
	for _, folder := range releases {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			delivered := make(chan string, 10)
			b := &backend{logs: func(ld plog.Logs) {
				delivered <- ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str()
			}}
			b.start(t)
			c := releaseCollector(t, folder, b.address)
			unpackState(t, filepath.Join(folder, "state"), c.State)
			c.Start()

			if s := (console{c.Console}).mustStatus(t); s.Series == 0 {
				assert.Regexp(t, `skipping a snapshot of another version.*the snapshot has version \d+, this build reads version \d+`, c.Log())
				t.Log("the snapshot is rejected")
			} else {
				assert.Equal(t, 2, s.Series)
				assert.Greater(t, s.Points, uint64(500))
			}
			select {
			case body := <-delivered:
				assert.Equal(t, queued, body)
			case <-time.After(20 * time.Second):
				assert.Fail(t, "the queue was not delivered", c.Log())
			}
		})
	}
}

// releaseCollector returns a collector with the configuration of a release.
func releaseCollector(t *testing.T, folder, address string) *peertest.Collector {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "config.yaml"))
	require.NoError(t, err)
	return peertest.NewCollector(t, peertest.CollectorOptions{Config: string(text), Env: []string{"E2E_BACKEND=" + address}})
}

// recordRelease writes the state of a collector that has learned two series and queued one log record.
func recordRelease(t *testing.T, folder string) {
	t.Helper()
	c := releaseCollector(t, folder, peertest.FreeAddresses(t, 1)[0])
	c.Start()
	start := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	a := newApp(t, plan{name: "checkout", resource: onHost("checkout", "host-a"), temporality: metricdata.CumulativeTemporality}, "release", 1, start)
	x := newExporter(t, c.OTLP)
	for i := range 300 {
		a.step(t, start.Add(time.Duration(i+1)*time.Second), 0)
	}
	require.NoError(t, a.export(x))
	sendLogAndSpan(t, c.OTLP)
	c.Stop()

	state := filepath.Join(folder, "state")
	require.NoError(t, os.RemoveAll(state))
	eachFile(t, c.State, func(name string, content io.Reader) error {
		target := filepath.Join(state, name+".gz")
		if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
			return err
		}
		f, err := os.Create(target)
		if err != nil {
			return err
		}
		z := gzip.NewWriter(f)
		_, err = io.Copy(z, content)
		return errors.Join(err, z.Close(), f.Close())
	})
}

// unpackState writes the state of a release into a folder.
func unpackState(t *testing.T, from, to string) {
	t.Helper()
	eachFile(t, from, func(name string, content io.Reader) error {
		z, err := gzip.NewReader(content)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(z)
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimSuffix(name, ".gz"))
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o600)
	})
}

// eachFile passes every file below a folder, with its relative name.
func eachFile(t *testing.T, folder string, do func(name string, content io.Reader) error) {
	t.Helper()
	count := 0
	require.NoError(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		count++
		return errors.Join(do(name, f), f.Close())
	}))
	require.Positive(t, count, "files in %s", folder)
}
