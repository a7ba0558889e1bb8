// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/demo/shop"
	"github.com/auspex-otel/auspex/demo/telemetry"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Parameters of the shop in TestTailSampling.
const (
	samplingCadence = 5 * time.Second
	// samplingWell and samplingBroken are the event time without a fault and with one.
	samplingWell, samplingBroken = 3 * time.Hour, 4 * time.Minute
	// samplingQuiet is the part of samplingWell in which requests are counted.
	samplingQuiet = 4 * time.Minute
	// samplingShare is the share of traced requests: about six per second.
	samplingShare = .03
	// samplingPace is the wall-clock time of an interval at the end. samplingWait, the decision time of a trace, is
	// ten seconds of event time at this pace, which is the configuration's default.
	samplingPace = 500 * time.Millisecond
	samplingWait = time.Second
)

// phase is the part of the run in which a request began.
type phase int

const (
	well   phase = iota // no fault
	before              // fault, but no anomaly has opened
	after               // an anomaly has opened
)

// request holds the facts about a traced request.
type request struct {
	phase  phase
	faulty bool
	failed bool // a span has the status error
	due    bool // a span belongs to an operation that had an open anomaly when the span was sent
	spans  int
	kept   int // number of spans at the backend
}

// operation identifies the spans that the engine aggregates.
type operation struct{ service, kind, name string }

// spanKinds maps span kinds to the engine's names.
var spanKinds = map[shop.SpanKind]string{
	shop.Internal: "Internal", shop.Server: "Server", shop.Client: "Client", shop.Producer: "Producer", shop.Consumer: "Consumer",
}

// sampling is one shop behind the gateway, with the outcome of its requests.
type sampling struct {
	kind     shop.Kind
	requests map[[16]byte]*request
	delay    time.Duration // event time from the fault to the first opened anomaly; negative if there was none
	marked   int           // spans at the backend that are marked as anomalous
}

// TestTailSampling sends the demo's shop through the sampling gateway and injects each kind of fault. It counts the
// requests that arrive at the backend before and after an anomaly opened. The shop lists the requests that the fault
// affected.
func TestTailSampling(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several minutes: make e2e runs it")
	}
	kinds := []shop.Kind{
		shop.None, shop.Latency, shop.Errors, shop.Throughput, shop.SlowDatabase, shop.CPU, shop.Memory,
		shop.Network, shop.Deployment, shop.Backlog, shop.Vanished,
	}
	s := seed(t, rand.Uint64N(100_000))
	runs := make([]*sampling, len(kinds))
	t.Run("faults", func(t *testing.T) {
		for i, kind := range kinds {
			t.Run(string(kind), func(t *testing.T) {
				t.Parallel()
				runs[i] = sample(t, kind, s+uint64(i))
			})
		}
	})
	text := samplingTable(runs)
	keep(t, "table.txt", []byte(text))
	t.Logf("seed %d, share of requests that were kept, in percent:\n%s", s, text)
	var soon, late, others ratio
	for _, r := range runs {
		if r == nil {
			continue // excluded by -run
		}
		for id, q := range r.requests {
			assert.False(t, q.failed && q.kept == 0, "%s: %x has an error and was not kept", r.kind, id)
		}
		soon, late, others = soon.and(r.kept(before, true)), late.and(r.kept(after, true)), others.and(r.kept(after, false))
	}
	require.Greater(t, late.of, 100, "faulty requests after an anomaly opened")
	assert.Greater(t, late.share(), soon.share(), "share of faulty requests after an anomaly opened")
	assert.Greater(t, late.share(), 2*others.share(), "share of faulty requests compared with others")
}

// sample runs one shop.
func sample(t *testing.T, kind shop.Kind, seed uint64) *sampling {
	t.Helper()
	r := &sampling{kind: kind, requests: map[[16]byte]*request{}, delay: -1}
	arrived, latest := map[[16]byte]int{}, time.Now()
	b := &backend{traces: func(td ptrace.Traces) {
		latest = time.Now()
		eachSpan(td, func(span ptrace.Span) {
			arrived[span.TraceID()]++
			if v, ok := span.Attributes().Get(vocabulary.MetricScore); ok && v.Double() >= 1 {
				r.marked++
			}
		})
	}}
	b.start(t)
	c := peertest.StartCollector(t, peertest.CollectorOptions{
		Base: "auspex:gateway-tail-sampling", Config: config(t, "tail_sampling.yaml"),
		Env: peertest.Shipped(t, "AUSPEX_BACKEND="+b.address, "AUSPEX_BACKEND_INSECURE=true", "AUSPEX_DECISION_WAIT="+samplingWait.String()),
	})
	play(t, r, c, seed)
	peertest.Eventually(t, time.Minute, "the last decisions", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if quiet := time.Since(latest); quiet < 3*samplingWait {
			return fmt.Errorf("the last spans arrived %v ago", quiet)
		}
		return nil
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, q := range r.requests {
		q.kept = arrived[id]
	}
	raw, err := json.Marshal(r.summary())
	require.NoError(t, err)
	keep(t, "summary.json", raw)
	return r
}

// play sends the shop's telemetry, first at full speed and then paced. After each paced interval it requests the open
// anomalies.
func play(t *testing.T, r *sampling, c *peertest.Collector, seed uint64) {
	t.Helper()
	services, start := shop.Services(), time.Now().UTC().Truncate(samplingCadence).Add(-samplingWell-samplingBroken)
	sim, fleet, record := shop.New(seed, start, samplingCadence, samplingShare), telemetry.NewFleet(services, start), shop.NewRecord(len(services), 720)
	sink, err := telemetry.Dial(c.OTLP)
	require.NoError(t, err)
	defer sink.Close()
	now, n, strange := well, int(samplingWell/samplingCadence), map[operation]bool{}
	next := func() *shop.Interval {
		iv := sim.Next()
		record.Add(iv)
		fleet.Record(iv)
		for _, q := range iv.Requests {
			r.requests[q.Trace] = &request{phase: now, faulty: q.Faulty}
		}
		for i := range iv.Spans {
			if q := r.requests[iv.Spans[i].Trace]; q != nil {
				q.spans++
				q.failed = q.failed || iv.Spans[i].Error != ""
				q.due = q.due || strange[operation{services[iv.Spans[i].By.Service].Name, spanKinds[iv.Spans[i].Kind], iv.Spans[i].Name}]
			}
		}
		return iv
	}
	for i := range n {
		if time.Duration(n-i)*samplingCadence == samplingQuiet {
			clear(r.requests)
		}
		next()
		// Send the requests individually. In one large request, the spans of one pod follow all spans of another and
		// are too late for their window.
		require.NoError(t, sink.Send(t.Context(), fleet.Take()))
	}
	api := console{c.Console}
	earlier, err := api.openAnomalies()
	require.NoError(t, err)
	if r.kind != shop.None {
		fault := shop.Draw(seed, r.kind)
		sim.Break(fault, record.Normal(fault.Service))
		t.Logf("%s: %s", services[fault.Service].Name, fault.Describe(record.Normal(fault.Service), samplingCadence))
	}
	broken, told := start.Add(samplingWell), map[string]bool{}
	now = before
	for began, i := time.Now(), 1; i <= int(samplingBroken/samplingCadence); i++ {
		iv := next()
		require.NoError(t, sink.Send(t.Context(), fleet.Take()))
		open, err := api.openAnomalies()
		require.NoError(t, err)
		clear(strange)
		for i := range open {
			if now == before && !slices.ContainsFunc(earlier, func(a incident.Anomaly) bool { return a.ID == open[i].ID }) {
				now, r.delay = after, iv.End.Sub(broken)
			}
			if !told[open[i].ID] {
				told[open[i].ID] = true
				t.Logf("open after %v: %s %s %s %s, observed %.4g, expected %.4g", iv.End.Sub(broken), open[i].Service, open[i].Metric,
					open[i].Statistic, open[i].Attributes[vocabulary.AttrSpanName], open[i].Observed, open[i].Expected)
			}
			if op, slow := slowOperation(&open[i]); slow {
				strange[op] = true
			}
		}
		time.Sleep(time.Until(began.Add(time.Duration(i) * samplingPace)))
	}
}

// slowOperation returns the operation whose duration or call rate is anomalous. All of its spans must be marked.
func slowOperation(a *incident.Anomaly) (op operation, slow bool) {
	duration, calls := a.Metric == vocabulary.MetricSpanDuration, a.Metric == vocabulary.MetricSpanCalls && a.Statistic == "count"
	return operation{a.Service, a.Attributes[vocabulary.AttrSpanKind], a.Attributes[vocabulary.AttrSpanName]}, calls || duration && a.Observed > a.Expected
}

// eachSpan calls f with each span.
func eachSpan(td ptrace.Traces, f func(ptrace.Span)) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				f(span)
			}
		}
	}
}

// ratio is a share and its total.
type ratio struct{ n, of int }

func (r ratio) and(o ratio) ratio { return ratio{r.n + o.n, r.of + o.of} }

func (r ratio) share() float64 { return float64(r.n) / float64(r.of) }

// String returns the percentage and the total.
func (r ratio) String() string {
	if r.of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f of %d", 100*r.share(), r.of)
}

// count returns the share of wanted requests of a phase that are kept.
func (r *sampling) count(p phase, wanted func(*request) bool, kept func([16]byte, *request) bool) (c ratio) {
	for id, q := range r.requests {
		if q.phase != p || !wanted(q) {
			continue
		}
		if c.of++; kept(id, q) {
			c.n++
		}
	}
	return c
}

func arrivedAtAll(_ [16]byte, q *request) bool { return q.kept > 0 }

func everyOne(*request) bool { return true }

// kept returns the kept share of the faulty requests of a phase, or of the others.
func (r *sampling) kept(p phase, faulty bool) ratio {
	return r.count(p, func(q *request) bool { return q.faulty == faulty }, arrivedAtAll)
}

// blind returns the share of the faulty requests after detection that sampling by trace id would keep with the same
// total.
func (r *sampling) blind() ratio {
	all := r.count(after, everyOne, arrivedAtAll)
	if all.of == 0 {
		return all
	}
	limit := uint64(all.share() * math.MaxUint64)
	return r.count(after, func(q *request) bool { return q.faulty }, func(id [16]byte, _ *request) bool {
		return binary.BigEndian.Uint64(id[8:]) < limit
	})
}

// whole returns the share of kept requests, in all phases, whose spans all arrived.
func (r *sampling) whole() (c ratio) {
	for _, q := range r.requests {
		if q.kept > 0 {
			if c.of++; q.kept == q.spans {
				c.n++
			}
		}
	}
	return c
}

// summary returns a line of the table.
func (r *sampling) summary() []string {
	delay := "–"
	if r.delay >= 0 {
		delay = fmt.Sprintf("%.0f s", r.delay.Seconds())
	}
	return []string{
		string(r.kind), r.count(well, everyOne, arrivedAtAll).String(), delay,
		r.kept(before, true).String(), r.kept(before, false).String(), r.kept(after, true).String(), r.kept(after, false).String(),
		r.count(after, everyOne, arrivedAtAll).String(), r.count(after, func(q *request) bool { return q.due }, arrivedAtAll).String(), r.blind().String(), r.whole().String(), strconv.Itoa(r.marked),
	}
}

// samplingTable returns a table with one line per run.
func samplingTable(runs []*sampling) string {
	rows := [][]string{{
		"fault", "well: all", "opened after", "before: faulty", "others", "after: faulty", "others", "all",
		"operation open", "by trace id alone: faulty", "kept whole", "marked spans",
	}}
	for _, r := range runs {
		if r != nil {
			rows = append(rows, r.summary())
		}
	}
	var text strings.Builder
	for i, row := range rows {
		fmt.Fprintln(&text, "| "+strings.Join(row, " | ")+" |")
		if i == 0 {
			fmt.Fprintln(&text, strings.Repeat("| --- ", len(row))+"|")
		}
	}
	return text.String()
}
