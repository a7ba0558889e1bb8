// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// view is a view of the page, and the requests that it sends. INCIDENT and SERIES stand for ids.
type view struct {
	name, path string
	api        []string
}

var views = []view{
	{"now", "/", []string{"health"}},
	{"incident", "/incidents/INCIDENT", []string{"incidents/INCIDENT", "services", "series/SERIES/points"}},
	{"series", "/series", []string{"series?limit=200"}},
	{"one series", "/series/SERIES", []string{"series/SERIES", "series/SERIES/points"}},
	{"logs", "/logs", []string{"templates"}},
	{"services", "/services", []string{"services"}},
	{"pipelines", "/pipelines", []string{"pipelines"}},
	{"silences", "/silences", []string{"silences", "services"}},
	{"backtests", "/backtests", []string{"backtests"}},
	{"about", "/about", []string{"health", "config", "anomalies?state=all"}},
}

// examples returns a replacer of INCIDENT and SERIES by ids that there are.
func examples(c *peertest.Collector) (*strings.Replacer, error) {
	var list struct {
		Incidents []struct {
			ID        string `json:"id"`
			Anomalies []struct {
				Series string `json:"series"`
			} `json:"anomalies"`
		} `json:"incidents"`
	}
	if err := c.Ask(context.Background(), "/api/v1/incidents", &list); err != nil {
		return nil, err
	}
	if len(list.Incidents) == 0 || len(list.Incidents[0].Anomalies) == 0 {
		return nil, errNoExample
	}
	return strings.NewReplacer("INCIDENT", list.Incidents[0].ID, "SERIES", list.Incidents[0].Anomalies[0].Series), nil
}

// pages are the live pages.
type pages struct{ received []atomic.Int64 }

// openStreams opens streams of events, which last until ctx ends.
func openStreams(ctx context.Context, base string, n int) (*pages, error) {
	p := &pages{received: make([]atomic.Int64, n)}
	for i := range n {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/v1/stream", http.NoBody)
		if err != nil {
			return nil, err
		}
		resp, err := http.DefaultClient.Do(req) //nolint:bodyclose // the reader closes it
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusOK {
			return nil, errors.Join(fmt.Errorf("stream %d of %d: %s", i+1, n, resp.Status), resp.Body.Close())
		}
		go func() {
			defer resp.Body.Close()
			lines := bufio.NewScanner(resp.Body)
			lines.Buffer(nil, 16<<20)
			for lines.Scan() {
				if strings.HasPrefix(lines.Text(), "event: ") {
					p.received[i].Add(1)
				}
			}
		}()
	}
	return p, nil
}

// events returns the least number of events that a page received.
func (p *pages) events() int64 {
	least := p.received[0].Load()
	for i := range p.received {
		least = min(least, p.received[i].Load())
	}
	return least
}

// measureAPI returns the 95th percentile of the answers of each view.
func measureAPI(ctx context.Context, base string, ids *strings.Replacer) (map[string]time.Duration, error) {
	took := map[string][]time.Duration{}
	for range *requests {
		for _, v := range views {
			for _, path := range v.api {
				began := time.Now()
				if _, err := peertest.Get(ctx, base+"/api/v1/"+ids.Replace(path)); err != nil {
					return nil, err
				}
				took[v.name] = append(took[v.name], time.Since(began))
			}
		}
	}
	p95 := map[string]time.Duration{}
	for name, list := range took {
		slices.Sort(list)
		p95[name] = list[(len(list)*95+99)/100-1]
	}
	return p95, nil
}

// measurePaint opens each view in a browser and returns the time of its first contentful paint, the median of three.
func measurePaint(ctx context.Context, base string, ids *strings.Replacer) (map[string]time.Duration, error) {
	paths := map[string]string{}
	for _, v := range views {
		paths[v.name] = ids.Replace(v.path)
	}
	arguments, err := json.Marshal(paths)
	if err != nil {
		return nil, err
	}
	folder, err := filepath.Abs(*modules)
	if err != nil {
		return nil, err
	}
	node := exec.CommandContext(ctx, "node", "e2e/console/load/paint.mjs", base, string(arguments)) //nolint:gosec // of this program itself
	node.Env, node.Stderr = append(os.Environ(), "MODULES="+folder), os.Stderr
	output, err := node.Output()
	if err != nil {
		return nil, fmt.Errorf("paint.mjs: %w", err)
	}
	var ms map[string]float64
	if err := json.Unmarshal(output, &ms); err != nil {
		return nil, fmt.Errorf("paint.mjs printed %q: %w", output, err)
	}
	paints := map[string]time.Duration{}
	for name, n := range ms {
		paints[name] = time.Duration(n * float64(time.Millisecond))
	}
	return paints, nil
}
