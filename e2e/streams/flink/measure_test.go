// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package flink

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// measurement is a line of the table.
type measurement struct {
	what        string
	keys        int
	records     float64 // evaluated while it was measured
	seconds     float64
	cpu         float64 // CPU-seconds of TaskManagers and workers
	manager     int     // highest memory of a TaskManager in bytes
	worker      int     // of a worker
	failed      int     // checkpoints
	checkpoints peertest.Checkpoints
}

const (
	// fillWithin bounds the time until each key has a message, on a busy machine.
	fillWithin = time.Hour
	// most bounds the time of a measurement after that.
	most = time.Minute
)

// TestMeasure measures throughput, memory, and checkpoints of the function, and of a plain aggregation of the same
// messages, by the number of keys.
func TestMeasure(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a real Flink: make e2e-streams installs and runs it")
	}
	const release = "2"
	jar := measureJar(t, release)
	var list []measurement
	defer func() { t.Log("\n" + measurements(list)) }()
	for _, keys := range numbersOfKeys(t) {
		for _, what := range []string{"aggregate", "auspex"} {
			t.Run(fmt.Sprint(what, " ", keys), func(t *testing.T) {
				m := measure(t, release, jar, what, keys)
				list = append(list, m)
				require.NotNil(t, m.checkpoints.Latest.Completed, "a checkpoint")
				assert.Zero(t, m.failed, "failed checkpoints")
			})
		}
	}
}

// numbersOfKeys returns $AUSPEX_E2E_KEYS. The default does not include 1000000, which takes more than ten minutes.
func numbersOfKeys(t *testing.T) (list []int) {
	t.Helper()
	text := os.Getenv("AUSPEX_E2E_KEYS")
	if text == "" {
		text = "10000,100000"
	}
	for field := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(field)
		require.NoError(t, err, "AUSPEX_E2E_KEYS")
		list = append(list, n)
	}
	return list
}

// measureJar returns the jar of the library with the class Measure.
func measureJar(t *testing.T, release string) string {
	t.Helper()
	library, jar := jarOf(t, release), filepath.Join(t.TempDir(), "measure.jar")
	in, err := os.Open(library)
	require.NoError(t, err)
	defer in.Close()
	out, err := os.Create(jar)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
	flink := peertest.FlinkFolder(t, release)
	classes := t.TempDir()
	for _, command := range [][]string{
		{"javac", "-cp", filepath.Join(flink, "lib", "*") + ":" + library, "-d", classes, filepath.Join("testdata", "Measure.java")},
		{"jar", "uf", jar, "-C", classes, "."},
	} {
		output, err := exec.CommandContext(t.Context(), filepath.Join(flink, "jdk", "bin", command[0]), command[1:]...).CombinedOutput()
		require.NoError(t, err, "%v: %s", command, output)
	}
	return jar
}

// measure runs a job until each key has a message, and measures it until each has another one, or for a minute.
func measure(t *testing.T, release, jar, what string, keys int) measurement {
	t.Helper()
	f := peertest.StartFlink(t, release, parallelism, "taskmanager.network.memory.buffer-debloat.enabled: true")
	id, err := f.Submit(t.Context(), peertest.FlinkJob{Jar: jar, Main: "Measure", Args: []string{what, strconv.Itoa(keys)}, Parallelism: parallelism})
	require.NoError(t, err)
	f.WaitRunning(id)
	m := measurement{what: what, keys: keys}
	evaluated := func() float64 {
		metrics, err := f.Metrics(t.Context(), id, "evaluated")
		require.NoError(t, err)
		for _, p := range f.Workers() {
			memory, err := p.PeakMemory()
			if err == nil { // it may have ended
				m.worker = max(m.worker, memory)
			}
		}
		return metrics["evaluated"]
	}
	peertest.Eventually(t, fillWithin, "a message of each key to be evaluated", func() error {
		if n := evaluated(); n < float64(keys) {
			failure, err := f.Failure(t.Context(), id)
			require.NoError(t, err)
			return fmt.Errorf("%.0f are; %s", n, failure)
		}
		return nil
	})
	before, err := f.Checkpoints(t.Context(), id)
	require.NoError(t, err)
	first, cpu, began := evaluated(), processorTime(t, f), time.Now()
	for time.Since(began) < most && m.records < float64(keys) || time.Since(began) < most/6 {
		time.Sleep(time.Second)
		m.records, m.cpu, m.seconds = evaluated()-first, processorTime(t, f)-cpu, time.Since(began).Seconds()
	}
	m.checkpoints, err = f.Checkpoints(t.Context(), id)
	require.NoError(t, err)
	m.failed = m.checkpoints.Counts.Failed - before.Counts.Failed
	for _, p := range f.TaskManagers() {
		memory, err := p.PeakMemory()
		require.NoError(t, err)
		m.manager = max(m.manager, memory)
	}
	require.NoError(t, f.Cancel(t.Context(), id))
	for _, p := range append(f.TaskManagers(), f.JobManager) {
		p.Stop()
	}
	t.Logf("%+v", m)
	return m
}

// processorTime returns the CPU-seconds of all TaskManagers and workers.
func processorTime(t *testing.T, f *peertest.Flink) (sum float64) {
	t.Helper()
	processes := f.Workers()
	for _, p := range f.TaskManagers() {
		processes = append(processes, peertest.ProcessID(p.PID()))
	}
	for _, p := range processes {
		seconds, err := p.CPUSeconds()
		require.NoError(t, err)
		sum += seconds
	}
	return sum
}

func measurements(list []measurement) string {
	const mib = 1 << 20
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "keys\tjob\tmessages/s\tmessages/s and core\tTaskManager MiB\tworker MiB\tstate MiB\tbytes/key\tcheckpoint s (median)\twritten MiB (last)")
	for _, m := range list {
		last := m.checkpoints.Latest.Completed
		if last == nil {
			last = &peertest.Checkpoint{}
		}
		fmt.Fprintf(w, "%d\t%s\t%.0f\t%.0f\t%d\t%d\t%.0f\t%d\t%.1f\t%.0f\n", m.keys, m.what, m.records/m.seconds, m.records/m.cpu,
			m.manager/mib, m.worker/mib, float64(last.Size)/mib, last.Size/int64(m.keys), m.checkpoints.MedianDuration().Seconds(), float64(last.Written)/mib)
	}
	_ = w.Flush()
	return b.String()
}
