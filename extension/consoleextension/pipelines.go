// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/confmap"
)

const (
	// scrapeEvery is the least time between two scrapes, scrapeWithin bounds one.
	scrapeEvery, scrapeWithin = 2 * time.Second, 3 * time.Second
	// maxScrape bounds the bytes of one scrape.
	maxScrape = 8 << 20
)

// pipelines reads the collector's own metrics from the Prometheus reader in its configuration.
type pipelines struct {
	url  string // "" if there is no such reader on loopback
	list []pipeline

	mu      sync.Mutex
	at      time.Time
	counts  map[string]float64 // by component, in total
	numbers []componentNumbers
}

// pipeline is one pipeline of the configuration.
type pipeline struct {
	Name       string   `json:"name"`
	Receivers  []string `json:"receivers"`
	Processors []string `json:"processors"`
	Exporters  []string `json:"exporters"`
}

// componentNumbers are the latest numbers of one component. Rates are per second since the scrape before.
type componentNumbers struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Accepted and Refused are items of a receiver, Sent and Failed of an exporter, In and Out of a processor.
	Rates map[string]float64 `json:"rates"`
	// Totals are counted since the collector started.
	Totals map[string]float64 `json:"totals"`
	// Queue and Capacity are the fill and the size of an exporter's queue, absent without one.
	Queue    *float64 `json:"queue,omitempty"`
	Capacity *float64 `json:"capacity,omitempty"`
}

// newPipelines reads the pipelines and the address of the collector's own metrics from its configuration.
func newPipelines(conf *confmap.Conf) *pipelines {
	p := &pipelines{url: metricsURL(conf)}
	list, _ := conf.Get("service::pipelines").(map[string]any)
	for name, v := range list {
		of, _ := v.(map[string]any)
		p.list = append(p.list, pipeline{name, texts(of["receivers"]), texts(of["processors"]), texts(of["exporters"])})
	}
	slices.SortFunc(p.list, func(a, b pipeline) int { return strings.Compare(a.Name, b.Name) })
	return p
}

// metricsURL is where the collector's own metrics are, "" unless a Prometheus reader listens on loopback.
func metricsURL(conf *confmap.Conf) string {
	readers, _ := conf.Get("service::telemetry::metrics::readers").([]any)
	for _, r := range readers {
		at := r
		for _, key := range [...]string{"pull", "exporter", "prometheus"} {
			m, _ := at.(map[string]any)
			at = m[key]
		}
		m, _ := at.(map[string]any)
		for key, v := range m {
			if s, ok := v.(*string); ok && s != nil {
				m[key] = *s
			}
			if n, ok := v.(*int); ok && n != nil {
				m[key] = *n
			}
		}
		if host := fmt.Sprint(m["host"]); m["port"] != nil && isLocalHost(host) {
			return "http://" + net.JoinHostPort(host, fmt.Sprint(m["port"])) + "/metrics"
		}
	}
	return ""
}

func texts(v any) []string {
	list, _ := v.([]any)
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = fmt.Sprint(x)
	}
	return out
}

// read returns the latest numbers, scraped if those known are old.
func (p *pipelines) read(ctx context.Context, client *http.Client) ([]componentNumbers, error) {
	if p.url == "" {
		return nil, errors.New("the collector's own metrics cannot be reached: configure a Prometheus reader on 127.0.0.1 under service::telemetry::metrics::readers")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.at) < scrapeEvery {
		return p.numbers, nil
	}
	families, err := scrape(ctx, client, p.url)
	if err != nil {
		return nil, fmt.Errorf("the collector's own metrics cannot be read from %s: %w", p.url, err)
	}
	t := tally{by: map[string]*componentNumbers{}, counts: map[string]float64{}}
	for name, f := range families {
		t.add(name, f)
	}
	for key, total := range t.counts {
		if before, ok := p.counts[key]; ok && !p.at.IsZero() && total >= before {
			component, what, _ := strings.Cut(key, "\n")
			t.by[component].Rates[what] = (total - before) / now.Sub(p.at).Seconds()
		}
	}
	p.at, p.counts, p.numbers = now, t.counts, t.sorted()
	return p.numbers, nil
}

func scrape(ctx context.Context, client *http.Client, url string) (map[string]*dto.MetricFamily, error) {
	ctx, cancel := context.WithTimeout(ctx, scrapeWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", resp.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(io.LimitReader(resp.Body, maxScrape))
}

// tally sums the samples of metric families by component.
type tally struct {
	by     map[string]*componentNumbers
	counts map[string]float64
}

// What the counters of components are called here, by a part of their names.
var counters = []struct{ kind, part, what string }{
	{"receiver", "receiver_accepted_", "accepted"},
	{"receiver", "receiver_refused_", "refused"},
	{"receiver", "receiver_failed_", "failed"},
	{"exporter", "exporter_sent_", "sent"},
	{"exporter", "exporter_send_failed_", "failed"},
	{"exporter", "exporter_enqueue_failed_", "refused"},
	{"processor", "processor_incoming_items", "in"},
	{"processor", "processor_outgoing_items", "out"},
	{"exporter", "_dead_letters_total", "dead letters"},
	{"receiver", "receiver_lumberjack_dead_letters_total", "dead letters"},
}

func (t *tally) add(name string, f *dto.MetricFamily) {
	name = strings.TrimPrefix(name, "otelcol_")
	for _, m := range f.GetMetric() {
		v := m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
		for _, c := range counters {
			if id := label(m, c.kind); id != "" && (strings.HasPrefix(name, c.part) || strings.HasPrefix(c.part, "_") && strings.HasSuffix(name, c.part)) {
				n := t.of(c.kind, id)
				n.Totals[c.what] += v
				t.counts[c.kind+" "+id+"\n"+c.what] += v
			}
		}
		id := label(m, "exporter")
		switch {
		case id == "":
		case name == "exporter_queue_size":
			n := t.of("exporter", id)
			n.Queue = plus(n.Queue, v)
		case name == "exporter_queue_capacity":
			n := t.of("exporter", id)
			n.Capacity = plus(n.Capacity, v)
		}
	}
}

func plus(sum *float64, v float64) *float64 {
	if sum != nil {
		v += *sum
	}
	return &v
}

func (t *tally) of(kind, id string) *componentNumbers {
	key := kind + " " + id
	if t.by[key] == nil {
		t.by[key] = &componentNumbers{Kind: kind, ID: id, Rates: map[string]float64{}, Totals: map[string]float64{}}
	}
	return t.by[key]
}

func (t *tally) sorted() []componentNumbers {
	list := make([]componentNumbers, 0, len(t.by))
	for _, n := range t.by {
		list = append(list, *n)
	}
	slices.SortFunc(list, func(a, b componentNumbers) int {
		return strings.Compare(a.Kind+" "+a.ID, b.Kind+" "+b.ID)
	})
	return list
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}
