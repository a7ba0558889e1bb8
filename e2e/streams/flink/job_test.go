// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package flink

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	// runWithin bounds the evaluation of the input on a busy machine, and settleWithin a restart.
	runWithin    = 10 * time.Minute
	settleWithin = 2 * time.Minute
)

// cluster is a Flink of one release, with the jar of the library for it.
type cluster struct {
	*peertest.Flink
	t       *testing.T
	release string
	broker  *peertest.Kafka
	jar     string
}

// startCluster starts a cluster that can run a job after one TaskManager has been killed, or with
// one more task.
func startCluster(t *testing.T, release string, broker *peertest.Kafka, settings ...string) *cluster {
	t.Helper()
	c := &cluster{jar: jarOf(t, release), t: t, release: release, broker: broker}
	c.Flink = peertest.StartFlink(t, release, parallelism+1, settings...)
	t.Cleanup(func() {
		if t.Failed() {
			folder := filepath.Join(peertest.Root(t), "e2e", "out", "flink", strings.ReplaceAll(t.Name(), "/", "-"))
			require.NoError(t, os.MkdirAll(folder, 0o750))
			for name, text := range c.Logs() {
				require.NoError(t, os.WriteFile(filepath.Join(folder, name+".log"), []byte(text), 0o600))
			}
			t.Logf("the logs of Flink are in %s", folder)
		}
	})
	return c
}

// jarOf returns the jar of the library for a release of Flink, which make e2e-streams builds.
func jarOf(t *testing.T, release string) string {
	t.Helper()
	jars, err := filepath.Glob(filepath.Join(peertest.Root(t), "bin", "flink", "auspex-flink-"+release+"-*.jar"))
	require.NoError(t, err)
	require.Len(t, jars, 1, "run engines/build.sh flink %s", release)
	return jars[0]
}

// job is a running job with topics of its own.
type job struct {
	*cluster
	id                       string
	group                    string
	findings, gauges, errors string
	args                     []string
}

// start runs the example job. Its name is that of its consumer group and the prefix of its topics, so that each job
// reads the input from the start.
func (c *cluster) start(name string, more ...string) *job {
	c.t.Helper()
	name = c.prefix(name)
	j := &job{cluster: c, group: name, findings: name + "-findings", gauges: name + "-gauges", errors: name + "-errors"}
	require.NoError(c.t, c.broker.CreateTopics(c.t.Context(), 1, j.findings, j.gauges, j.errors))
	j.args = append([]string{
		"--brokers", c.broker.Address, "--group", j.group, "--findings-topic", j.findings, "--gauges-topic", j.gauges, "--errors-topic", j.errors,
		"--checkpoint", "2s", "--idle", "5m",
	}, more...)
	j.submit(parallelism, "")
	c.WaitRunning(j.id)
	return j
}

// prefix returns the name of a job's consumer group, and the start of the names of its topics.
func (c *cluster) prefix(name string) string {
	return strings.NewReplacer(" ", "-", ",", "").Replace(c.release + "-" + name)
}

// submit runs the job, from a savepoint unless it is empty.
func (j *job) submit(parallelism int, savepoint string) {
	j.t.Helper()
	var err error
	j.id, err = j.Submit(j.t.Context(), peertest.FlinkJob{Jar: j.jar, Args: j.args, Parallelism: parallelism, Savepoint: savepoint})
	require.NoError(j.t, err)
}

// waitConsumed waits until a share of the input is part of a checkpoint.
func (j *job) waitConsumed(share float64) {
	j.t.Helper()
	peertest.Eventually(j.t, runWithin, fmt.Sprintf("%.0f %% of the input to be read", 100*share), func() error {
		read, err := consumed(j.t.Context(), j.broker, j.group)
		if err == nil && read < share {
			err = fmt.Errorf("%.1f %% is read; %s", 100*read, j.describe())
		}
		return err
	})
}

// describe returns the state of the job and its latest failure, for messages.
func (j *job) describe() string {
	state, err := j.State(j.t.Context(), j.id)
	if err != nil {
		return err.Error()
	}
	failure, err := j.Failure(j.t.Context(), j.id)
	if err != nil {
		return err.Error()
	}
	return "the job is " + state + "\n" + failure[:min(len(failure), 2000)]
}

// metricsWithin bounds the wait for metrics of the latest attempt of a job. Flink's REST API does not always report
// them after several attempts in a row.
const metricsWithin = 30 * time.Second

// end waits until all input is read, and stops the job as at the end of the input. It returns the metrics of the last
// attempt of the job, or nil if Flink does not report them.
func (j *job) end() map[string]float64 {
	j.t.Helper()
	j.waitConsumed(1)
	var metrics map[string]float64
	for deadline := time.Now().Add(metricsWithin); metrics["evaluated"] == 0; {
		if time.Now().After(deadline) {
			metrics = nil
			break
		}
		time.Sleep(2 * time.Second) // Flink's interval of metrics
		var err error
		metrics, err = j.Metrics(j.t.Context(), j.id, "evaluated", "late", "repeated", "errors", "failed_shard", "worker_restarts", "restored", "replayed", "snapshots")
		require.NoError(j.t, err)
	}
	_, err := j.Stop(j.t.Context(), j.id, true)
	require.NoError(j.t, err)
	require.Equal(j.t, "FINISHED", j.WaitEnd(j.id, settleWithin), "%s", j.describe())
	return metrics
}
