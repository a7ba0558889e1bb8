// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package flink

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	services = 4
	steps    = 300
	cadence  = 10 * time.Second
	// unusual is the step from which the values of all services are unusual.
	unusual = 280
)

func serviceName(i int) string { return fmt.Sprint("service-", i) }

// gauge returns a point of a service.
func gauge(i int, at time.Time, value float64) pmetric.Metrics {
	m := pmetric.NewMetrics()
	rm := m.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr(vocabulary.ServiceName, serviceName(i))
	metric := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("e2e.queue.length")
	point := metric.SetEmptyGauge().DataPoints().AppendEmpty()
	point.SetDoubleValue(value)
	point.SetTimestamp(pcommon.NewTimestampFromTime(at))
	return m
}

// stream writes the messages of all services to a broker, and to files for auspex backtest.
type stream struct {
	t      *testing.T
	client *kgo.Client
	folder string
	start  time.Time
}

// startStream starts a broker and a cluster, and a stream that begins at its first step.
func startStream(t *testing.T, release string) (*cluster, *stream) {
	t.Helper()
	broker := peertest.StartKafka(t)
	require.NoError(t, broker.CreateTopics(t.Context(), 1, topics...))
	c := startCluster(t, release, broker)
	client := broker.Client()
	t.Cleanup(client.Close)
	return c, &stream{t: t, client: client, folder: t.TempDir(), start: time.Now().Add(-steps * cadence).Truncate(time.Second)}
}

func (s *stream) produce(topic, key string, value []byte) {
	s.t.Helper()
	require.NoError(s.t, s.client.ProduceSync(s.t.Context(), &kgo.Record{Topic: topic, Key: []byte(key), Value: value}).FirstErr())
}

func (s *stream) metrics(key string, m pmetric.Metrics) {
	s.t.Helper()
	value, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(m)
	require.NoError(s.t, err)
	s.produce(topics[0], key, value)
}

// send sends the steps in [from, to) of all services.
func (s *stream) send(from, to int) {
	s.t.Helper()
	for step := from; step < to; step++ {
		random := rand.New(rand.NewPCG(uint64(step), uint64(seed(s.t))))
		for i := range services {
			value := 100 + 3*random.NormFloat64()
			if step >= unusual {
				value *= 5
			}
			m := gauge(i, s.at(step), value)
			s.metrics(serviceName(i), m)
			line, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(m)
			require.NoError(s.t, err)
			folder := filepath.Join(s.folder, serviceName(i))
			require.NoError(s.t, os.MkdirAll(folder, 0o700))
			file, err := os.OpenFile(filepath.Join(folder, "metrics.jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			require.NoError(s.t, err)
			_, err = file.Write(append(line, '\n'))
			require.NoError(s.t, err)
			require.NoError(s.t, file.Close())
		}
	}
}

func (s *stream) at(step int) time.Time { return s.start.Add(time.Duration(step) * cadence) }

// log sends a log record of a service.
func (s *stream) log(i, step int, text string) {
	s.t.Helper()
	l := plog.NewLogs()
	rl := l.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(vocabulary.ServiceName, serviceName(i))
	record := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetTimestamp(pcommon.NewTimestampFromTime(s.at(step)))
	record.Body().SetStr(text)
	value, err := (&plog.ProtoMarshaler{}).MarshalLogs(l)
	require.NoError(s.t, err)
	s.produce(topics[1], serviceName(i), value)
}

// expected returns the findings of auspex backtest on all services.
func (s *stream) expected() findings {
	s.t.Helper()
	f := findings{}
	for i := range services {
		judged := filepath.Join(s.t.TempDir(), "judged")
		run(s.t, nil, "auspex", "backtest", "otlp", "--in", filepath.Join(s.folder, serviceName(i)), "--out", judged)
		f.addBacktest(s.t, serviceName(i), judged)
	}
	return f
}

// aside is a message that a job has set aside.
type aside struct{ Shard, Reason, Position string }

func (j *job) setAside() (list []aside) {
	j.t.Helper()
	for _, message := range readTopic(j.t, j.broker, j.errors) {
		var a aside
		require.NoError(j.t, json.Unmarshal(message.Value, &a), "%s", message.Value)
		list = append(list, a)
	}
	return list
}

// TestBadInput sends messages that cannot be evaluated, among others, and checks that the job reports them and
// evaluates all others as auspex backtest does.
func TestBadInput(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a real Flink: make e2e-streams installs and runs it")
	}
	for _, release := range releases {
		t.Run(release, func(t *testing.T) { badInput(t, release) })
	}
}

func badInput(t *testing.T, release string) {
	t.Helper()
	c, s := startStream(t, release)
	j := c.start("bad input", "--worker", fragileWorker(t), "--out-of-order", "1m", "--idle", "3s")

	const victim = services - 1 // its worker ends
	s.send(0, steps/2)
	s.produce(topics[0], "poison", []byte("\xff\xffnot OTLP"))
	s.metrics("ahead", gauge(services, time.Now().Add(24*time.Hour), 1))
	s.log(victim, steps/2, crash)
	s.send(steps/2, steps)
	j.waitEvaluated(services * steps * 2 / 3)
	s.metrics(serviceName(0), gauge(0, s.at(20).Add(time.Second), 1)) // late
	metrics := j.end()
	list := j.setAside()
	found, repeated := readFindings(t, c.broker, j.findings)
	t.Logf("%s: %v, %d repeated, %v\n%v", release, found, repeated, metrics, list)

	reasons := map[string]string{} // by position without the offset, or by shard
	for _, a := range list {
		reasons[a.Shard] = a.Reason + " (" + a.Position + ")"
	}
	assert.Len(t, list, 4)
	assert.Contains(t, reasons[""], topics[0]+"-0@", "poison")
	assert.Contains(t, reasons[serviceName(services)], "correct the clock", "a clock that is ahead")
	assert.Contains(t, reasons[serviceName(0)], "late", "a late message")
	assert.Contains(t, reasons[serviceName(victim)], "set aside", "a shard that ends the worker")
	assert.Contains(t, reasons[serviceName(victim)], "index out of range", "what the worker wrote")
	assert.EqualValues(t, 1, metrics["late"])
	assert.EqualValues(t, 2, metrics["worker_restarts"], "workers that ended")
	assert.NotZero(t, metrics["failed_shard"], "further messages of the shard that was set aside")
	assert.Zero(t, repeated)

	expected := s.expected()
	delete(expected, serviceName(victim))
	delete(found, serviceName(victim))
	assert.Len(t, expected, services-1, "services with findings")
	checkEqual(t, expected.last(), found.last(), "findings of the other shards")
}

// waitEvaluated waits until n messages have been evaluated.
func (j *job) waitEvaluated(n float64) {
	j.t.Helper()
	peertest.Eventually(j.t, settleWithin, fmt.Sprintf("%.0f messages to be evaluated", n), func() error {
		metrics, err := j.Metrics(j.t.Context(), j.id, "evaluated")
		if err == nil && metrics["evaluated"] < n {
			err = fmt.Errorf("%.0f are; %s", metrics["evaluated"], j.describe())
		}
		return err
	})
}

// TestOtherVersion starts a job from a savepoint with states of another version, and checks that it fails with an error
// that names both.
func TestOtherVersion(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a real Flink: make e2e-streams installs and runs it")
	}
	const other = "12345"
	for _, release := range releases {
		t.Run(release, func(t *testing.T) {
			c, s := startStream(t, release)
			j := c.start("other version", "--idle", "3s", "--worker", fragileWorker(t, envState+"="+other))
			s.send(0, steps/4)
			j.waitEvaluated(services)
			savepoint, err := j.Stop(t.Context(), j.id, false)
			require.NoError(t, err)
			j.args = j.args[:len(j.args)-2] // the worker in the jar
			j.submit(parallelism, savepoint)
			require.Equal(t, "FAILED", j.WaitEnd(j.id, settleWithin))
			failure, err := j.Failure(t.Context(), j.id)
			require.NoError(t, err)
			message := regexp.MustCompile(`the savepoint has states of version ` + other + `, written by auspex \S+; this worker is auspex \S+ and reads version \S+: .*`)
			require.Regexp(t, message, failure)
			t.Logf("%s: %s", release, message.FindString(failure))
		})
	}
}
