// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package doors

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// elasticKills is how often the collector is killed.
const elasticKills = 20

// TestElasticKills kills the collector while clients send to both doors, every
// third time within its first second, and half of the times while Elasticsearch is down. What
// was acknowledged is in Elasticsearch.
func TestElasticKills(t *testing.T) {
	d := startElasticDoors(t)
	seed := uint64(time.Now().UnixNano() % 1_000_000)
	if text := os.Getenv("AUSPEX_E2E_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("seed %d: AUSPEX_E2E_SEED=%d repeats it", seed, seed)
	random := rand.New(rand.NewPCG(seed, 8))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const endless = 1 << 30
	senders := []struct {
		name, door string
		send       elasticSender
	}{
		{"go-lumber", "lumberjack", d.sendWithGoLumber},
		{"go-elasticsearch", "elasticsearch_bulk", d.sendWindowsInBulk},
	}
	var all sync.WaitGroup
	for _, s := range senders {
		all.Go(func() { assert.ErrorIs(t, s.send(ctx, s.name, endless), context.Canceled, s.name) })
	}
	began := time.Now()
	for n := range elasticKills {
		switch n {
		case elasticKills / 4:
			d.es.Stop()
			t.Logf("%5.1f s: Elasticsearch is stopped", time.Since(began).Seconds())
		case elasticKills/4 + elasticKills/2:
			d.es.Start()
			t.Logf("%5.1f s: Elasticsearch is back", time.Since(began).Seconds())
		}
		wait := time.Duration(1000+random.IntN(2000)) * time.Millisecond
		if n%3 == 2 {
			wait = time.Duration(random.IntN(1000)) * time.Millisecond
		}
		time.Sleep(wait)
		d.Kill()
		d.Start()
	}
	time.Sleep(5 * time.Second)
	cancel()
	all.Wait()
	d.Kill() // so that it delivers nothing more
	var rows []elasticRow
	for _, s := range senders {
		r := d.row(t, s.name, s.door, readElasticLists(t, d.folder, s.name))
		r.took = time.Since(began)
		rows = append(rows, r)
	}
	t.Logf("run %s, %d kills\n%s", d.run, elasticKills, elasticTable(rows))
	for _, r := range rows {
		assert.NotZero(t, r.acknowledged, r.client)
		assert.Zero(t, r.missing, "%s: acknowledged, but not in Elasticsearch", r.client)
		assert.Zero(t, r.duplicates, "%s: events that give an id", r.client)
	}
}

// sendWindowsInBulk sends with go-elasticsearch, a window at a time, and again those events of a window that were not acknowledged.
func (d *elasticDoors) sendWindowsInBulk(ctx context.Context, name string, count int) error {
	es, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: []string{"http://" + d.bulk}, DisableRetry: true})
	if err != nil {
		return err
	}
	const window = 100
	for first := 0; first < count; first += window {
		var left []int
		for n := first; n < min(first+window, count); n++ {
			left = append(left, n)
		}
		if err := d.list(name, "sent", left...); err != nil {
			return err
		}
		for len(left) > 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			done, again := d.sendInBulk(ctx, es, name, left)
			if err := d.list(name, "acknowledged", done...); err != nil {
				return err
			}
			if left = again; len(left) > 0 {
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
	return nil
}

// sendInBulk makes one request, and returns what was acknowledged and what was not.
func (d *elasticDoors) sendInBulk(ctx context.Context, es *elasticsearch.Client, name string, numbers []int) (done, again []int) {
	var body bytes.Buffer
	for _, n := range numbers {
		fmt.Fprintf(&body, `{"create":{"_index":"logs-doors-kills","_id":"%s-%s-%d"}}`+"\n%s\n", d.run, name, n, d.event(name, n))
	}
	res, err := es.Bulk(&body, es.Bulk.WithContext(ctx))
	if err != nil {
		return nil, numbers
	}
	defer res.Body.Close()
	results, err := esbulk.ReadResponse(res.Body, len(numbers))
	if err != nil || res.IsError() {
		return nil, numbers
	}
	for i, r := range results {
		if r.Status < 300 {
			done = append(done, numbers[i])
		} else {
			again = append(again, numbers[i])
		}
	}
	return done, again
}
