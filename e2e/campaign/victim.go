// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	memoryLimit   = 512 // MiB, the default of the shipped configurations
	pressureLimit = 256
	diskBytes     = 512 << 20
)

//go:embed testdata/campaign.yaml
var configuration string

// victim is the collector under test.
type victim struct {
	*peertest.Collector
	t peertest.TB
	// at holds the addresses of the receivers, by name.
	at   map[string]string
	junk string
	// smallDisk reports whether the state is on a disk that fillDisk can fill.
	smallDisk bool

	mu      sync.Mutex
	begun   bool // started, even if it exited on its own since
	limit   int  // MiB
	peak    int  // MiB
	ratio   float64
	kills   int
	crashes int
}

// newVictim prepares a collector that exports to the backend at an address.
func newVictim(t peertest.TB, exporter, backend string) *victim {
	t.Helper()
	a := peertest.FreeAddresses(t, 4)
	env := peertest.Shipped(t,
		"LUMBERJACK="+a[0], "BULK="+a[1], "REMOTE_WRITE="+a[2], "JUNK="+a[3], "BACKEND="+backend,
		"LOGS_EXPORTER="+exporter, "METRICS_EXPORTER="+exporter,
	)
	if exporter == "prometheus_remote_write" {
		env = append(env, "LOGS_EXPORTER=nop")
	}
	v := &victim{t: t, junk: a[3], Collector: peertest.NewCollector(t, peertest.CollectorOptions{Base: "auspex:default", Config: configuration, Env: env})}
	v.at = map[string]string{
		"otlp/grpc": v.OTLP, "otlp/http": v.OTLP2, "lumberjack": a[0], "elasticsearch_bulk": a[1], "prometheus_remote_write": a[2],
	}
	if err := mountSmall(v.State, diskBytes); err != nil {
		t.Logf("skipping the fault \"full disk\": %v", err)
	} else {
		v.smallDisk = true
	}
	return v
}

// begin starts the collector with a memory limit. It does not wait until the collector is healthy.
func (v *victim) begin(limit int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.limit = limit
	v.Setenv("AUSPEX_MEMORY", strconv.Itoa(limit))
	v.Begin()
	v.begun = true
}

// end stops the collector with how.
func (v *victim) end(how func()) {
	v.observe()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.begun = false
	how()
}

// kill ends the collector with SIGKILL and starts it again.
func (v *victim) kill(limit int) {
	v.end(v.Kill)
	v.mu.Lock()
	v.kills++
	v.mu.Unlock()
	v.begin(limit)
}

// observe records the peak memory of the collector, and restarts the collector if it exited on its own.
func (v *victim) observe() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.begun {
		return
	}
	if !v.Running() {
		v.crashes++
		v.t.Logf("the collector exited on its own. The end of its log:\n%s", lastLines(v.Log(), 40))
		v.Begin()
		return
	}
	// The state is on a tmpfs, and bbolt maps its files. These pages do not count as memory of the collector.
	if bytes, err := v.OwnMemory(); err == nil {
		v.peak = max(v.peak, bytes>>20)
		v.ratio = max(v.ratio, float64(bytes>>20)/float64(v.limit))
	}
}

// watch calls observe until ctx ends.
func (v *victim) watch(ctx context.Context) {
	for ctx.Err() == nil {
		v.observe()
		time.Sleep(50 * time.Millisecond)
	}
}

var queueSize = regexp.MustCompile(`(?m)^otelcol_exporter_queue_size\{.*\} (\S+)$`)

// queued returns the number of requests in the queues.
func (v *victim) queued() (n int, err error) {
	text, err := peertest.Get(context.Background(), "http://"+v.Metrics+"/metrics")
	if err != nil {
		return 0, err
	}
	sizes := queueSize.FindAllSubmatch(text, -1)
	if len(sizes) == 0 {
		return 0, errors.New("the collector reports no metric of its queues")
	}
	for _, m := range sizes {
		size, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			return 0, err
		}
		n += int(size)
	}
	return n, nil
}

// drain waits until the queues have been empty for a second. It returns false after two minutes.
func (v *victim) drain() bool {
	empty := 0
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if n, err := v.queued(); err != nil || n > 0 {
			empty = 0
		} else if empty++; empty == 5 {
			return true
		}
	}
	return false
}

// fillDisk fills the disk of the state until free is called.
func (v *victim) fillDisk() (free func(), err error) {
	file := filepath.Join(v.State, "ballast")
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for size := 1 << 20; size >= 1<<10; size >>= 1 {
		for piece := make([]byte, size); err == nil; {
			_, err = f.Write(piece)
		}
		err = nil
	}
	return func() {
		if err := os.Remove(file); err != nil {
			v.t.Fatalf("free the disk: %v", err)
		}
	}, nil
}

// files returns the paths of the files of the engine and the queues.
func (v *victim) files() ([]string, error) {
	engine, err := filepath.Glob(filepath.Join(v.State, "engine", "*"))
	queues, otherwise := filepath.Glob(filepath.Join(v.State, "queue", "*"))
	all := slices.Concat(engine, queues)
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no state files", v.State)
	}
	return all, errors.Join(err, otherwise)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
