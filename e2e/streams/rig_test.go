// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/demo/telemetry"
	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	partitions = 8
	// sessionTimeout is longer than the restart of a gateway on a busy machine.
	sessionTimeout = 15 * time.Second
)

var (
	topics = []string{"otlp_metrics", "otlp_logs", "otlp_spans"}
	groups = []string{"auspex-metrics", "auspex-logs", "auspex-traces"}
	names  = []string{"gateway-a", "gateway-b"}
)

// rig is an agent, a broker, and two gateways with a backend each.
type rig struct {
	t          *testing.T
	broker     *peertest.Kafka
	prometheus *peertest.Prometheus
	agent      *peertest.Collector
	gateways   []*peertest.Collector
	backends   []*backend
	sink       telemetry.Sink
	origin     time.Time
	next       int // the next step to send
}

// shipped returns the environment of a shipped configuration that uses a broker.
func shipped(t *testing.T, broker *peertest.Kafka, more ...string) []string {
	t.Helper()
	return append(peertest.Shipped(t, "AUSPEX_KAFKA=["+broker.Address+"]", "AUSPEX_KAFKA_INSECURE=true"), more...)
}

func startRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, origin: time.Now().Add(-150 * time.Minute).Truncate(time.Second)}
	r.broker = peertest.StartKafka(t)
	require.NoError(t, r.broker.CreateTopics(t.Context(), partitions, topics...))
	r.prometheus = peertest.StartPrometheus(t, peertest.PrometheusOptions{OutOfOrder: 3 * time.Hour})
	for i := range names {
		r.backends = append(r.backends, startBackend(t, r.origin))
		r.gateways = append(r.gateways, r.gateway(i, ""))
		r.gateways[i].Start()
	}
	r.waitMembers(names...)
	r.agent = peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:agent-kafka", Env: shipped(t, r.broker)})
	var err error
	r.sink, err = telemetry.Dial(r.agent.OTLP)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.sink.Close() })
	t.Cleanup(r.keepLogs)
	return r
}

// keepLogs writes the logs of a failed test into out/.
func (r *rig) keepLogs() {
	if !r.t.Failed() {
		return
	}
	require.NoError(r.t, os.MkdirAll("out", 0o750))
	for name, process := range map[string]interface{ Log() string }{
		"agent": r.agent, "broker": r.broker, names[0]: r.gateways[0], names[1]: r.gateways[1],
	} {
		require.NoError(r.t, os.WriteFile(filepath.Join("out", name+".log"), []byte(process.Log()), 0o600))
	}
	r.t.Log("the logs are in e2e/streams/out")
}

// gateway prepares a gateway with the name and the backend of gateway i, an empty state, and a warm start or "".
func (r *rig) gateway(i int, warmup string) *peertest.Collector {
	r.t.Helper()
	config, err := os.ReadFile(filepath.Join("testdata", "gateway.yaml"))
	require.NoError(r.t, err)
	return peertest.NewCollector(r.t, peertest.CollectorOptions{
		Base: "auspex:gateway-kafka", Config: strings.Replace(string(config), "# WARMUP", warmup, 1),
		Env: shipped(r.t, r.broker, "E2E_BACKEND="+r.backends[i].address,
			"AUSPEX_REMOTE_WRITE="+r.prometheus.WriteURL(), "AUSPEX_INSTANCE="+names[i], "AUSPEX_REPLICAS=2",
			"AUSPEX_KAFKA_SESSION_TIMEOUT="+sessionTimeout.String()),
	})
}

// waitMembers waits until exactly the named gateways have all partitions, and the same ones of every topic.
func (r *rig) waitMembers(wanted ...string) {
	r.t.Helper()
	peertest.Eventually(r.t, time.Minute, fmt.Sprintf("%v to share all partitions", wanted), func() error {
		var first map[string][]int32
		for _, group := range groups {
			all, err := r.broker.Assigned(r.t.Context(), group)
			if err != nil {
				return err
			}
			n := 0
			for _, of := range all {
				slices.Sort(of)
				n += len(of)
			}
			if have := slices.Sorted(maps.Keys(all)); !slices.Equal(have, wanted) || n != partitions {
				return fmt.Errorf("group %s: %v", group, all)
			}
			if first == nil {
				first = all
			}
			if !maps.EqualFunc(first, all, slices.Equal) {
				return fmt.Errorf("groups differ: %v and %v", first, all)
			}
		}
		return nil
	})
}

// send sends n steps. The agent acknowledges each.
func (r *rig) send(n int) {
	r.t.Helper()
	for range n {
		require.NoError(r.t, r.sink.Send(context.WithoutCancel(r.t.Context()), batchOf(r.origin, r.next)))
		r.next++
		time.Sleep(pause)
	}
}

// settle waits until all items that were sent have arrived at one of the backends.
func (r *rig) settle(within time.Duration) {
	r.t.Helper()
	peertest.Eventually(r.t, within, "all acknowledged items to arrive", func() error {
		if missing := r.missing(); len(missing) > 0 {
			return fmt.Errorf("%d of %d items are missing, such as %v", len(missing), 3*services*r.next, missing[0])
		}
		return nil
	})
}

// missing returns the items that were sent and arrived nowhere.
func (r *rig) missing() (list []item) {
	for _, b := range r.backends {
		b.mu.Lock()
		defer b.mu.Unlock()
	}
	for step := range r.next {
		for i := range services {
			for _, signal := range []string{points, logs, spans} {
				it := item{signal, serviceName(i), step}
				if r.backends[0].items[it]+r.backends[1].items[it] == 0 {
					list = append(list, it)
				}
			}
		}
	}
	return list
}

// repeated returns the number of arrivals of items that had arrived before.
func (r *rig) repeated() (n int) {
	arrived := map[item]int{}
	for _, b := range r.backends {
		b.mu.Lock()
		for it, times := range b.items {
			arrived[it] += times
		}
		b.mu.Unlock()
	}
	for _, times := range arrived {
		n += times - 1
	}
	return n
}

// owners returns the services from which items of steps at or after from arrived at a backend, and the signals.
func (r *rig) owners(backend, from int) map[string]map[string]bool {
	b := r.backends[backend]
	b.mu.Lock()
	defer b.mu.Unlock()
	found := map[string]map[string]bool{}
	for it := range b.items {
		if it.step < from {
			continue
		}
		if found[it.service] == nil {
			found[it.service] = map[string]bool{}
		}
		found[it.service][it.signal] = true
	}
	return found
}

// unjudged returns the number of steps in [from, to) without a verdict of any gateway on a service.
func (r *rig) unjudged(service string, from, to int) (n int) {
	for _, b := range r.backends {
		b.mu.Lock()
		defer b.mu.Unlock()
	}
	for step := from; step < to; step++ {
		if !r.backends[0].verdicts[service][step] && !r.backends[1].verdicts[service][step] {
			n++
		}
	}
	return n
}

// resumed returns the time at which the first item of each service from a step on had arrived.
func (r *rig) resumed(list []string, from int) (last time.Time) {
	for _, b := range r.backends {
		b.mu.Lock()
		defer b.mu.Unlock()
	}
	for _, service := range list {
		var first time.Time
		for _, b := range r.backends {
			if at, ok := b.first[item{points, service, from}]; ok && (first.IsZero() || at.Before(first)) {
				first = at
			}
		}
		if first.After(last) {
			last = first
		}
	}
	return last
}
