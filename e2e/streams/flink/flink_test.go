// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package flink

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// releases are those of Flink that the library supports.
var releases = []string{"1.20", "2"}

// row is a line of the result.
type row struct {
	release, what string
	seconds       float64
	found         findings
	gauges        findings // raw messages
	repeated      int
	metrics       map[string]float64
}

// disturbance makes a part fail while a job runs.
type disturbance struct {
	what string
	// when waits until the part fails. By default, a third of the input is part of a checkpoint.
	when func(j *job)
	act  func(j *job)
	args []string
	// proof is a metric that must not be zero afterwards, if any.
	proof string
}

var disturbances = []disturbance{
	{what: "TaskManager killed", act: killTaskManager},
	{
		what: "TaskManager killed, at least once", act: killTaskManager, when: (*job).waitWritten,
		args: []string{"--delivery", "at-least-once", "--checkpoint", "20s"},
	},
	{what: "worker killed", act: killWorker, proof: "worker_restarts"},
	{what: "broker killed and restarted", act: restartBroker},
	{what: "rescaled from two to three tasks", act: rescale},
}

// TestFlink sends the demo's shops through auspex:agent-kafka and a real broker to a job on a real cluster, and its
// findings through a collector to a real Elasticsearch. It kills each part, and compares the findings with those of
// auspex backtest, and with those of the undisturbed job.
func TestFlink(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a real Flink: make e2e-streams installs and runs it")
	}
	recorded := recordShops(t)
	broker := startBroker(t)
	began := time.Now()
	messages := fill(t, broker, recorded)
	t.Logf("%d messages of %d shops reached the broker in %.0f s; auspex backtest: %v", messages, len(faults), time.Since(began).Seconds(), recorded.expected)
	require.GreaterOrEqual(t, len(recorded.expected.last()), 2*len(faults), "findings to compare")

	var rows []row
	defer func() { t.Log("\n" + table(rows)) }()
	var first findings // of the first release
	for _, release := range releases {
		t.Run(release, func(t *testing.T) {
			c := startCluster(t, release, broker)
			undisturbed := c.evaluate(disturbance{what: "undisturbed", act: func(*job) {}})
			rows = append(rows, undisturbed)
			checkEqual(t, recorded.expected.last(), undisturbed.found.last(), "findings of auspex backtest and of Flink")
			assert.Zero(t, undisturbed.repeated, "repeated updates")
			assert.InDelta(t, messages, undisturbed.metrics["evaluated"], float64(messages)/10, "evaluated messages before the end of the input")
			if first == nil {
				first = undisturbed.found
				checkElasticsearch(t, broker, c.prefix(undisturbed.what)+"-findings", recorded.expected)
			}
			checkEqual(t, first.sequence(), undisturbed.found.sequence(), "updates of %s and %s", releases[0], release)
			for _, d := range disturbances {
				r := c.evaluate(d)
				rows = append(rows, r)
				checkEqual(t, undisturbed.found.sequence(), r.found.sequence(), "updates, undisturbed and with %s", d.what)
				checkEqual(t, undisturbed.gauges.sequence(), r.gauges.sequence(), "gauges, undisturbed and with %s", d.what)
				assert.Equal(t, d.args != nil, r.repeated > 0, "%s: %d repeated updates", d.what, r.repeated)
				if d.proof != "" {
					assert.NotZero(t, r.metrics[d.proof], "%s: %s", d.what, d.proof)
				}
			}
		})
	}
}

// evaluate runs a job over all input, and disturbs it when a third has been read.
func (c *cluster) evaluate(d disturbance) row {
	c.t.Helper()
	began := time.Now()
	j := c.start(d.what, d.args...)
	if d.when != nil {
		d.when(j)
	} else {
		j.waitConsumed(1. / 3)
	}
	d.act(j)
	share, err := consumed(c.t.Context(), c.broker, j.group)
	require.NoError(c.t, err)
	require.Less(c.t, share, 1., "%s: the input had been read before", d.what)
	metrics := j.end()
	r := row{release: c.release, what: d.what, seconds: time.Since(began).Seconds(), metrics: metrics}
	r.found, r.repeated = readFindings(c.t, c.broker, j.findings)
	r.gauges = findings{}
	for _, message := range readTopic(c.t, c.broker, j.gauges) {
		shard := string(message.Key)
		r.gauges[shard] = append(r.gauges[shard], update{record: string(message.Value)})
	}
	require.Len(c.t, r.gauges, len(faults), "shards with gauges")
	require.Empty(c.t, readTopic(c.t, c.broker, j.errors), "messages that are late, rejected, or of a shard that is set aside")
	c.t.Logf("%s, %s: %v, %d repeated, %v", r.release, r.what, r.found, r.repeated, metrics)
	return r
}

// waitWritten waits until the job has written updates since its last checkpoint.
func (j *job) waitWritten() {
	j.t.Helper()
	peertest.Eventually(j.t, runWithin, "updates to be written", func() error {
		if n := total(j.t, j.broker, j.findings); n < 50 {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
}

func killTaskManager(j *job) {
	j.t.Helper()
	_, err := j.KillTaskManager(j.t.Context(), j.id)
	require.NoError(j.t, err)
	j.StartTaskManager()
	j.WaitSlots(parallelism + 1)
	peertest.Eventually(j.t, settleWithin, "the job to be restored from a checkpoint", func() error {
		c, err := j.Checkpoints(j.t.Context(), j.id)
		if err == nil && c.Counts.Restored == 0 {
			err = fmt.Errorf("it is not: %+v", c.Counts)
		}
		return err
	})
}

func killWorker(j *job) {
	j.t.Helper()
	workers := j.Workers()
	require.Len(j.t, workers, parallelism, "workers")
	require.NoError(j.t, syscall.Kill(int(workers[0]), syscall.SIGKILL))
}

func restartBroker(j *job) {
	j.t.Helper()
	j.broker.Kill()
	time.Sleep(3 * time.Second)
	j.broker.Start()
}

func rescale(j *job) {
	j.t.Helper()
	savepoint, err := j.Stop(j.t.Context(), j.id, false)
	require.NoError(j.t, err)
	j.submit(parallelism+1, savepoint)
	j.WaitRunning(j.id)
}

// checkEqual fails with the first difference. The lists are too long to print.
func checkEqual(t *testing.T, want, have []string, what string, args ...any) {
	t.Helper()
	what = fmt.Sprintf(what, args...)
	for i := range min(len(want), len(have)) {
		if !assert.Equal(t, want[i], have[i], "%s: line %d", what, i) {
			return
		}
	}
	assert.Len(t, have, len(want), "%s", what)
}

func table(rows []row) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "Flink\tfailure\tfindings\trepeated\tworkers restarted\tshards restored\treplayed\tseconds")
	for _, r := range rows {
		metric := func(name string) string {
			if r.metrics == nil {
				return "–"
			}
			return fmt.Sprint(r.metrics[name])
		}
		fmt.Fprintf(w, "%s\t%s\t%v\t%d\t%s\t%s\t%s\t%.0f\n", r.release, r.what, r.found, r.repeated, metric("worker_restarts"), metric("restored"), metric("replayed"), r.seconds)
	}
	_ = w.Flush()
	return b.String()
}
