// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package doors

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	doorKills  = 24
	settleTime = 30 * time.Second
)

// killRow is a row of the table of kills: samples.
type killRow struct {
	mode                                         string
	kills, down, early                           int
	sent, acknowledged, found, missing, lostCore int
}

// TestRemoteWriteKills kills the collector while two Prometheus agents write to
// it. During half of the kills Prometheus is stopped, and a third of them come
// within the first second of the collector's life. What was acknowledged must be there.
func TestRemoteWriteKills(t *testing.T) {
	if testing.Short() {
		t.Skip("48 kills and four outages take four minutes")
	}
	seed := uint64(time.Now().UnixNano() % 1_000_000)
	if text := os.Getenv("AUSPEX_E2E_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	t.Logf("AUSPEX_E2E_SEED=%d", seed)
	var rows []killRow
	for i, mode := range []struct{ name, over string }{{"direct", ""}, {"queue on disk", "prometheus_queue.yaml"}} {
		t.Run(mode.name, func(t *testing.T) {
			k := startKillRun(t, rand.New(rand.NewPCG(seed, uint64(i))), mode.over)
			r := k.play(t)
			r.mode = mode.name
			rows = append(rows, r)
		})
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "mode\t| kills\t| while Prometheus is stopped\t| in the first second\t| sent\t| acknowledged\t| found\t| missing of acknowledged\t| lost by the core at start")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t| %d\t| %d\t| %d\t| %d\t| %d\t| %d\t| %d\t| %d\n", r.mode, r.kills, r.down, r.early, r.sent, r.acknowledged, r.found, r.missing, r.lostCore)
	}
	_ = w.Flush()
	t.Logf("\n%s", b.String())
}

// killRun is one mode of the test.
type killRun struct {
	*prometheusDoor
	random *rand.Rand
	agents []*peertest.Agent
}

func startKillRun(t *testing.T, random *rand.Rand, over string) *killRun {
	t.Helper()
	b := startBackend(t)
	door := peertest.FreeAddresses(t, 1)[0]
	o := peertest.CollectorOptions{Config: doorConfig(t, "prometheus.yaml"), Env: []string{"DOOR=" + door, "REMOTE_WRITE=" + b.front.URL + "/api/v1/write"}}
	if over != "" {
		o.Base = filepath.Join(peertest.Root(t), "e2e", "doors", "testdata", "prometheus.yaml")
		o.Config = doorConfig(t, over)
	}
	k := &killRun{prometheusDoor: &prometheusDoor{peertest.StartCollector(t, o), b, startWiretap(t, door)}, random: random}
	for _, message := range []string{"prometheus.WriteRequest", "io.prometheus.write.v2.Request"} {
		k.agents = append(k.agents, peertest.StartPrometheusAgent(t, peertest.AgentOptions{WriteURL: k.tap.URL + "/" + message, Message: message, Label: message}))
	}
	return k
}

func (k *killRun) play(t *testing.T) (r killRow) {
	t.Helper()
	k.acknowledgeMore(t)
	for n := range doorKills {
		switch n % 12 {
		case 6:
			k.backend.server.Stop()
		case 0:
			if n > 0 {
				k.backend.start()
				k.acknowledgeMore(t)
			}
		}
		stopped := n%12 >= 6
		wait := time.Duration(k.random.IntN(3000)) * time.Millisecond
		early := n%3 == 2
		if early {
			wait = time.Duration(k.random.IntN(500)) * time.Millisecond // Half a second it took to be healthy.
			r.early++
		}
		if stopped {
			r.down++
		}
		time.Sleep(wait)
		k.Kill()
		r.kills++
		t.Logf("kill %d, %v after it was healthy, Prometheus stopped: %v, acknowledged so far: %d", n+1, wait, stopped, k.tap.acknowledged())
		k.Start()
	}
	k.backend.start()
	k.acknowledgeMore(t)
	for _, a := range k.agents {
		a.Stop()
	}
	k.judge(t, &r)
	return r
}

// acknowledgeMore waits until the door has acknowledged something.
func (k *killRun) acknowledgeMore(t *testing.T) {
	t.Helper()
	before := k.tap.acknowledged()
	peertest.Eventually(t, 40*time.Second, "an acknowledgement", func() error {
		if k.tap.acknowledged() == before {
			return errors.New("there is none")
		}
		return nil
	})
}

// judge waits until all that was acknowledged is there, or nothing comes any more.
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
		t.Logf("the collector's core lost %d requests when it put those in flight back into its queue at start:\n%s", lost, strings.Join(proof, "\n"))
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
	assert.Equal(t, r.lostCore, r.missing, "samples are missing that the core did not lose when it started: %d requests, %d lost by the core", len(requests), lost)
}
