// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"errors"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// settleTime is the time without new samples after which the missing ones count as lost.
const settleTime = 30 * time.Second

// killRun is one mode of the test.
type killRun struct {
	*prometheusReceiver
	random *rand.Rand
	agents []*peertest.Agent
}

func startKillRun(t *testing.T, random *rand.Rand, over string) *killRun {
	t.Helper()
	b := startBackend(t)
	receiver := peertest.FreeAddresses(t, 1)[0]
	o := peertest.CollectorOptions{Config: receiverConfig(t, "prometheus.yaml"), Env: []string{"RECEIVER=" + receiver, "REMOTE_WRITE=" + b.front.URL + "/api/v1/write"}}
	if over != "" {
		o.Base = filepath.Join(peertest.Root(t), "e2e", "receivers", "testdata", "prometheus.yaml")
		o.Config = receiverConfig(t, over)
	}
	k := &killRun{prometheusReceiver: &prometheusReceiver{peertest.StartCollector(t, o), b, startWiretap(t, receiver)}, random: random}
	for _, message := range []string{"prometheus.WriteRequest", "io.prometheus.write.v2.Request"} {
		k.agents = append(k.agents, peertest.StartPrometheusAgent(t, peertest.AgentOptions{WriteURL: k.tap.URL + "/" + message, Message: message, Label: message}))
	}
	return k
}

// play kills the collector while two Prometheus agents write to it.
func (k *killRun) play(t *testing.T) (r killRow) {
	t.Helper()
	k.acknowledgeMore(t)
	r = killOften(t, k.random, k.Collector, k.backend.server.Stop, func() {
		k.backend.start()
		k.acknowledgeMore(t)
	})
	k.acknowledgeMore(t)
	for _, a := range k.agents {
		a.Stop()
	}
	k.judge(t, &r)
	return r
}

// acknowledgeMore waits for another acknowledgement of the receiver.
func (k *killRun) acknowledgeMore(t *testing.T) {
	t.Helper()
	before := k.tap.acknowledged()
	peertest.Eventually(t, 40*time.Second, "an acknowledgement", func() error {
		if k.tap.acknowledged() == before {
			return errors.New("no new acknowledgement")
		}
		return nil
	})
}

// judge waits until all acknowledged samples are found or no more arrive.
func (k *killRun) judge(t *testing.T, r *killRow) {
	t.Helper()
	sent := map[sampleID]sentSample{}
	k.tap.mu.Lock()
	for _, list := range k.tap.sent {
		maps.Copy(sent, list)
	}
	k.tap.mu.Unlock()
	var missing map[sampleID]sentSample
	best, since := -1, time.Now()
	for {
		found, err := k.backend.found(`{client!=""}`)
		assert.NoError(t, err)
		missing = map[sampleID]sentSample{}
		r.sent, r.acknowledged, r.found = len(sent), 0, 0
		for id, s := range sent {
			v, ok := found[id]
			ok = ok && same(v, s.value)
			if ok {
				r.found++
			}
			if s.acknowledged {
				r.acknowledged++
				if !ok {
					missing[id] = s
				}
			}
		}
		if r.found > best {
			best, since = r.found, time.Now()
		}
		if len(missing) == 0 || time.Since(since) > settleTime {
			break
		}
		time.Sleep(time.Second)
	}
	lost, proof := peertest.LostByCore(k.Log())
	if lost > 0 {
		t.Logf("the collector's core lost %d requests while it re-enqueued those in flight at the start:\n%s", lost, strings.Join(proof, "\n"))
	}
	requests := map[int]bool{}
	for id, s := range missing {
		if len(requests) < 3 {
			t.Logf("missing: %v of request %d", id, s.request)
		}
		requests[s.request] = true
	}
	r.missing = len(missing)
	if len(requests) <= lost {
		r.lostCore = len(missing)
	}
	assert.Positive(t, r.acknowledged)
	assert.Equal(t, r.lostCore, r.missing, "samples are missing that the core's re-enqueue does not explain: %d requests, %d lost by the core", len(requests), lost)
}
