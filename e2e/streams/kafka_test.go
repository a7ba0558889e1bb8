// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	// learned is a number of steps after which every series has verdicts.
	learned = 150
	// relearned bounds the steps until a series without a state has verdicts.
	relearned = 220
)

// row is a line of the result.
type row struct {
	what           string
	lost, repeated int
	moved          int           // services that another gateway received
	resumed        time.Duration // until items of all services of the gateway arrived
	unjudged       int           // points without a verdict, of the service with the most
}

// TestKafka sends through auspex:agent-kafka and a real broker to two auspex:gateway-kafka, and kills each part. It
// prints what was lost, repeated, and learned again.
func TestKafka(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a real broker: make e2e-streams installs and runs it")
	}
	r := startRig(t)
	r.send(learned)
	r.settle(time.Minute)
	checkPlacement(t, r)

	var rows []row
	rows = append(rows, r.disturb("gateway killed, the other one takes over", relearned, func() {
		r.gateways[0].Kill()
	}, false))
	r.gateways[0].Start()
	r.waitMembers(names...)
	r.send(20)
	r.settle(time.Minute)

	rows = append(rows, r.disturb("gateway killed, replaced with its state", 60, func() {
		r.gateways[0].Kill()
		replacement := r.gateway(0, "")
		require.NoError(t, os.CopyFS(replacement.State, os.DirFS(r.gateways[0].State)))
		r.gateways[0] = replacement
		replacement.Start()
	}, true))

	rows = append(rows, r.disturb("gateway killed, replaced, warm start", 60, func() {
		r.gateways[0].Kill()
		r.gateways[0] = r.gateway(0, fmt.Sprintf("warmup: {lookback: 3h, prometheus: {endpoint: %q}}", r.prometheus.URL()))
		r.gateways[0].Start()
	}, true))

	rows = append(rows, r.disturb("broker killed and restarted", 100, func() {
		r.broker.Kill()
		r.send(20)
		r.broker.Start()
	}, true))

	rows = append(rows, r.disturb("agent and broker restarted", 60, func() {
		r.broker.Kill()
		r.send(20)
		began := time.Now()
		r.agent.Stop()
		t.Logf("the agent stopped in %v without a broker", time.Since(began).Round(time.Millisecond))
		assert.Less(t, time.Since(began), 8*time.Second, "the agent stops without a broker")
		r.broker.Start()
		r.agent.Start()
	}, true))

	rows = append(rows, checkPoison(t, r))
	t.Log("\n" + table(rows))
	for _, row := range rows {
		assert.Zero(t, row.lost, "%s: lost items", row.what)
	}
	for _, row := range rows[1:] {
		assert.Zero(t, row.moved, "%s: services moved to another gateway", row.what)
		assert.LessOrEqual(t, row.unjudged, 1, "%s: points without a verdict", row.what)
	}
	assert.NotZero(t, rows[0].moved)
}

// checkPlacement checks that each shard has one partition number in all topics, and each service one gateway for all
// signals.
func checkPlacement(t *testing.T, r *rig) {
	t.Helper()
	wanted := map[string]bool{}
	for i := range services {
		wanted[shardOf(i)] = true
	}
	where := map[string]map[int32]bool{} // partitions by key
	seen := map[string]map[string]bool{} // topics by key
	client := r.broker.Client(kgo.ConsumeTopics(topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for n := 0; n < 3*learned*(services-namespaced+1); {
		fetches := client.PollFetches(ctx)
		require.NoError(t, fetches.Err(), "%d messages so far", n)
		fetches.EachRecord(func(record *kgo.Record) {
			key := string(record.Key)
			if !wanted[key] {
				return // metrics of the agent's host
			}
			n++
			if where[key] == nil {
				where[key], seen[key] = map[int32]bool{}, map[string]bool{}
			}
			where[key][record.Partition], seen[key][record.Topic] = true, true
		})
	}
	assert.Equal(t, slices.Sorted(maps.Keys(wanted)), slices.Sorted(maps.Keys(where)), "keys of the messages")
	for key, of := range where {
		assert.Len(t, of, 1, "%s: partitions", key)
		assert.Len(t, seen[key], len(topics), "%s: topics", key)
	}
	a, b := r.owners(0, 0), r.owners(1, 0)
	t.Logf("%d services at %s, %d at %s, %d keys in %d partitions", len(a), names[0], len(b), names[1], len(where), partitions)
	assert.NotEmpty(t, a)
	assert.NotEmpty(t, b)
	assert.Equal(t, services, len(a)+len(b), "services at both gateways")
	for _, of := range []map[string]map[string]bool{a, b} {
		for service, signals := range of {
			assert.Len(t, signals, 3, "%s: signals", service)
			assert.Zero(t, r.unjudged(service, learned-5, learned), "%s: verdicts after %d points", service, learned)
		}
	}
}

// disturb makes a part fail and sends steps. It reports what happened to the services of the first gateway. With wait,
// both gateways must be members at the end.
func (r *rig) disturb(what string, steps int, act func(), wait bool) row {
	r.t.Helper()
	r.send(10)
	r.settle(time.Minute)
	victims := slices.Sorted(maps.Keys(r.owners(0, r.next-1)))
	others := r.owners(1, r.next-1)
	from, before, began := r.next, r.repeated(), time.Now()
	act()
	r.send(steps)
	peertest.Eventually(r.t, 2*time.Minute, "items of all services to arrive again", func() error {
		if missing := r.missing(); len(missing) > 0 {
			return fmt.Errorf("%d items are missing, such as %v", len(missing), missing[0])
		}
		return nil
	})
	if wait {
		r.waitMembers(names...)
	}
	result := row{what: what, lost: len(r.missing()), repeated: r.repeated() - before, resumed: r.resumed(victims, from).Sub(began)}
	after := r.owners(1, from)
	for _, service := range victims {
		if after[service] != nil {
			result.moved++
		}
		result.unjudged = max(result.unjudged, r.unjudged(service, from, r.next))
	}
	for service := range others {
		// The queue of a restarted agent sends the request that was in flight after the others.
		assert.LessOrEqual(r.t, r.unjudged(service, from, r.next), 1, "%s: %s stays at its gateway, so it has verdicts", what, service)
	}
	return result
}

// checkPoison writes bytes that are not OTLP to each partition of each topic, and checks that they are counted and
// logged, and that the partitions continue.
func checkPoison(t *testing.T, r *rig) row {
	t.Helper()
	client := r.broker.Client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer client.Close()
	result := r.disturb("messages that are not OTLP", 40, func() {
		for _, topic := range topics {
			for p := range int32(partitions) {
				record := &kgo.Record{Topic: topic, Partition: p, Value: []byte("\xff\xffnot OTLP")}
				require.NoError(t, client.ProduceSync(t.Context(), record).FirstErr())
			}
		}
	}, true)
	peertest.Eventually(t, time.Minute, "otelcol_kafka_receiver_unmarshal_failed_… to count all messages", func() error {
		counted := 0
		for _, g := range r.gateways {
			text, err := peertest.Get(t.Context(), "http://"+g.Metrics+"/metrics")
			if err != nil {
				return err
			}
			counted += unmarshalFailures(t, string(text))
		}
		if counted != len(topics)*partitions {
			return fmt.Errorf("%d of %d are counted", counted, len(topics)*partitions)
		}
		return nil
	})
	log := r.gateways[0].Log() + r.gateways[1].Log() // repeats a message at most ten times in ten seconds
	assert.Regexp(t, `failed to consume message, skipping due to message_marking config.*"topic": "otlp_logs", "partition": \d+.*"offset": \d+`, log)
	return result
}

var failures = regexp.MustCompile(`(?m)^otelcol_kafka_receiver_unmarshal_failed_\w+\{.*\} (\d+)$`)

func unmarshalFailures(t *testing.T, text string) (n int) {
	t.Helper()
	for _, m := range failures.FindAllStringSubmatch(text, -1) {
		v, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		n += v
	}
	return n
}

func table(rows []row) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "failure\tlost\trepeated\tmoved services\titems again after\tpoints without a verdict\tat 10 s per point")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.1f s\t%d\t%v\n", r.what, r.lost, r.repeated, r.moved, r.resumed.Seconds(), r.unjudged, time.Duration(r.unjudged)*cadence)
	}
	_ = w.Flush()
	return b.String()
}
