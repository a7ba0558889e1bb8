// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/confmap"

	"github.com/auspex-otel/auspex/internal/tap"
)

const (
	// scrapeEvery is the least time between two scrapes, scrapeWithin bounds one.
	scrapeEvery, scrapeWithin = 2 * time.Second, 3 * time.Second
	// maxScrape bounds the bytes of one scrape.
	maxScrape = 8 << 20
)

// pipelines reads the collector's own metrics from the Prometheus reader in its configuration.
type pipelines struct {
	url string // "" if there is no such reader on loopback

	mu     sync.Mutex
	at     time.Time
	counts map[string]float64 // by component, in total
	flow   flow
}

// flow is the answer of the console about the pipelines.
type flow struct {
	Pipelines  []pipeline         `json:"pipelines"`
	Components []componentNumbers `json:"components"`
	// DeadLetters counts by type and class of component, as in "elasticsearch exporter".
	DeadLetters map[string]float64 `json:"dead_letters"`
	// Taps lists the components whose records can be shown.
	Taps []tap.Place `json:"taps"`
	// Unavailable says why there are no numbers.
	Unavailable string `json:"unavailable,omitempty"`
}

// pipeline is one pipeline of the configuration.
type pipeline struct {
	Name       string   `json:"name"`
	Receivers  []string `json:"receivers"`
	Processors []string `json:"processors"`
	Exporters  []string `json:"exporters"`
}

// componentNumbers are the latest numbers of one component for one signal. Rates are per second since the scrape before.
type componentNumbers struct {
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Signal string `json:"signal"`
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
	p := &pipelines{url: metricsURL(conf), flow: flow{Pipelines: []pipeline{}, Components: []componentNumbers{}, DeadLetters: map[string]float64{}}}
	list, _ := conf.Get("service::pipelines").(map[string]any)
	for name, v := range list {
		of, _ := v.(map[string]any)
		p.flow.Pipelines = append(p.flow.Pipelines, pipeline{name, texts(of["receivers"]), texts(of["processors"]), texts(of["exporters"])})
	}
	slices.SortFunc(p.flow.Pipelines, func(a, b pipeline) int { return strings.Compare(a.Name, b.Name) })
	return p
}

// metricsURL returns the address of the collector's own metrics, "" unless a Prometheus reader listens on loopback.
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

// read returns the pipelines with the latest numbers, scraped if those known are old. With an error there are none.
func (p *pipelines) read(ctx context.Context, client *http.Client) (flow, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	none := flow{Pipelines: p.flow.Pipelines, Components: []componentNumbers{}, DeadLetters: map[string]float64{}}
	if p.url == "" {
		return none, errors.New("the collector's own metrics cannot be reached: configure a Prometheus reader on 127.0.0.1 under service::telemetry::metrics::readers")
	}
	now := time.Now()
	if now.Sub(p.at) < scrapeEvery {
		return p.flow, nil
	}
	families, err := scrape(ctx, client, p.url)
	if err != nil {
		return none, fmt.Errorf("the collector's own metrics cannot be read from %s: %w", p.url, err)
	}
	t := tally{by: map[string]*componentNumbers{}, counts: map[string]float64{}, dead: map[string]float64{}}
	for name, f := range families {
		t.add(name, f)
	}
	for key, total := range t.counts {
		if before, ok := p.counts[key]; ok && !p.at.IsZero() && total >= before {
			component, what, _ := strings.Cut(key, "\n")
			t.by[component].Rates[what] = (total - before) / now.Sub(p.at).Seconds()
		}
	}
	p.at, p.counts, p.flow.Components, p.flow.DeadLetters = now, t.counts, t.sorted(), t.dead
	return p.flow, nil
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
	dead   map[string]float64 // by type and class of component
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
}

// deadLetters matches the metrics that count dead letters, which do not name the component: its class and its type.
var deadLetters = regexp.MustCompile(`^(receiver|exporter)_(.+)_dead_letters$`)

func (t *tally) add(name string, f *dto.MetricFamily) {
	name = strings.TrimSuffix(strings.TrimPrefix(name, "otelcol_"), "_total")
	dead := deadLetters.FindStringSubmatch(name)
	for _, m := range f.GetMetric() {
		v := m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
		if dead != nil {
			t.dead[dead[2]+" "+dead[1]] += v
		}
		for _, c := range counters {
			if id := label(m, c.kind); id != "" && strings.HasPrefix(name, c.part) {
				n := t.of(c.kind, id, signalOf(name, m))
				n.Totals[c.what] += v
				t.counts[n.key()+"\n"+c.what] += v
			}
		}
		id := label(m, "exporter")
		switch {
		case id == "":
		case name == "exporter_queue_size":
			n := t.of("exporter", id, label(m, "data_type"))
			n.Queue = plus(n.Queue, v)
		case name == "exporter_queue_capacity":
			n := t.of("exporter", id, label(m, "data_type"))
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

// signalOf is the signal that a sample counts items of, "" if it does not say.
func signalOf(name string, m *dto.Metric) string {
	for part, signal := range map[string]string{"_log_records": "logs", "_metric_points": "metrics", "_spans": "traces"} {
		if strings.Contains(name, part) {
			return signal
		}
	}
	return label(m, "otel_signal")
}

func (n *componentNumbers) key() string { return n.Kind + " " + n.ID + " " + n.Signal }

func (t *tally) of(kind, id, signal string) *componentNumbers {
	n := &componentNumbers{Kind: kind, ID: id, Signal: signal, Rates: map[string]float64{}, Totals: map[string]float64{}}
	if known := t.by[n.key()]; known != nil {
		return known
	}
	t.by[n.key()] = n
	return n
}

func (t *tally) sorted() []componentNumbers {
	list := make([]componentNumbers, 0, len(t.by))
	for _, key := range slices.Sorted(maps.Keys(t.by)) {
		list = append(list, *t.by[key])
	}
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
