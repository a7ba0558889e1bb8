// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	receiverKills = 24
	outageAt      = 6  // kills before the backend stops
	backAt        = 18 // kills before the backend starts again
)

// killRow is a row of the table of kills. It compares a client's lists for a receiver that was killed repeatedly.
type killRow struct {
	receiver, client                                         string
	kills, down, early                                       int
	sent, acknowledged, found, missing, duplicates, lostCore int
}

// TestKills kills the collector while clients send to every receiver. The backend is stopped during half of the
// kills. A third of the kills occur within the first second after a start. The test verifies that the backend has all
// acknowledged data.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("72 kills and three outages take three minutes")
	}
	seed := uint64(time.Now().UnixNano() % 1_000_000)
	if text := os.Getenv("AUSPEX_E2E_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("AUSPEX_E2E_SEED=%d", seed)
	var rows []killRow
	t.Run("Elasticsearch", func(t *testing.T) { rows = append(rows, killElasticReceivers(t, rand.New(rand.NewPCG(seed, 8)))...) })
	for i, mode := range []struct{ name, over string }{{"direct", ""}, {"queue on disk", "prometheus_queue.yaml"}} {
		t.Run(mode.name, func(t *testing.T) {
			r := startKillRun(t, rand.New(rand.NewPCG(seed, uint64(i))), mode.over).play(t)
			r.receiver, r.client = "remote write, "+mode.name, "agents 1.0 and 2.0"
			rows = append(rows, r)
		})
	}
	show(t, "kills", killTable(rows))
	for _, r := range rows {
		assert.Positive(t, r.acknowledged, r.receiver)
		assert.Equal(t, r.lostCore, r.missing, "%s: acknowledged, and not in the backend", r.receiver)
		assert.Zero(t, r.duplicates, "%s: duplicates of events that have an id", r.receiver)
	}
}

func killTable(rows []killRow) string {
	return columns("receiver\t| client\t| kills\t| backend stopped\t| first second\t| sent\t| acknowledged\t| found\t| missing of acknowledged\t| duplicates\t| lost by the core at start", func(line func(cells ...any)) {
		for _, r := range rows {
			line(r.receiver, r.client, r.kills, r.down, r.early, r.sent, r.acknowledged, r.found, r.missing, r.duplicates, r.lostCore)
		}
	})
}

// killOften kills the collector repeatedly and restarts it. The backend is stopped during half of the kills.
func killOften(t *testing.T, random *rand.Rand, c *peertest.Collector, stop, start func()) (r killRow) {
	t.Helper()
	for n := range receiverKills {
		switch n {
		case outageAt:
			stop()
		case backAt:
			start()
		}
		wait := time.Duration(500+random.IntN(2500)) * time.Millisecond
		if n%3 == 2 {
			wait = time.Duration(random.IntN(500)) * time.Millisecond // The collector took half a second to become healthy.
			r.early++
		}
		if n >= outageAt && n < backAt {
			r.down++
		}
		time.Sleep(wait)
		c.Kill()
		r.kills++
		t.Logf("kill %d, %v after the collector was healthy", n+1, wait)
		c.Start()
	}
	return r
}
