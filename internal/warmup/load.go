// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package warmup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/promseries"
)

const (
	// progressEvery is the interval of progress messages.
	progressEvery = 10 * time.Second
	// mostFailures is the number of failed batches after which loading stops.
	mostFailures = 3
	// manyWorkers bounds the concurrent batches.
	manyWorkers = 4
	// windowSamples is the target number of samples in one answer. likelyDistance is the assumed
	// distance of two samples while it is unknown. leastWindow is the shortest window that is
	// tried.
	windowSamples  = 500_000
	likelyDistance = 15 * time.Second
	leastWindow    = time.Minute
)

// Result describes a completed warm start.
type Result struct {
	// Listed counts the streams of the server that the engine lacks, and Read those of them that
	// were read. Series counts the engine's series for these streams, NoRoom those beyond the
	// limit. NotUnderstood counts series that belong to no metric.
	Listed, Read, Series, NoRoom, NotUnderstood int
	// Samples and Requests count the samples and requests that were read.
	Samples, Requests int64
}

// loader reads the history for one engine.
type loader struct {
	cfg    *Config
	engine *engine.Engine
	logger *zap.Logger
	client *client
	from   time.Time
	to     time.Time
	limit  int

	samples       atomic.Int64
	notUnderstood atomic.Int64

	mu       sync.Mutex
	result   Result
	pasts    map[key]*engine.Past
	failures []error
}

// Load reads the history up to now and passes it to the engine, which must not have seen live
// telemetry. It returns an error if a part could not be read; the engine has the rest. maxSeries
// bounds the series that are kept.
func Load(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings, e *engine.Engine, maxSeries int, now time.Time) (Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Timeout, fmt.Errorf("not done within timeout, which is %v", cfg.Timeout))
	defer cancel()
	endpoint, err := url.Parse(cfg.Prometheus.Client.Endpoint)
	if err != nil {
		return Result{}, err
	}
	httpClient, err := cfg.Prometheus.Client.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return Result{}, err
	}
	defer httpClient.CloseIdleConnections()
	t, err := newTranslator(&cfg.Prometheus)
	if err != nil {
		return Result{}, err
	}
	l := &loader{
		cfg: cfg, engine: e, logger: set.Logger, from: now.Add(-cfg.Lookback), to: now, limit: maxSeries, pasts: map[key]*engine.Past{},
		client: &client{http: httpClient, endpoint: endpoint, pace: pace{interval: time.Duration(float64(time.Second) / cfg.Prometheus.RequestsPerSecond)}},
	}
	err = l.load(ctx, t)
	l.result.Samples, l.result.Requests, l.result.NotUnderstood = l.samples.Load(), l.client.requests.Load(), int(l.notUnderstood.Load())
	if len(l.pasts) > 0 {
		e.SetHistory(&history{translator: t, pasts: l.pasts})
	}
	return l.result, err
}

func (l *loader) load(ctx context.Context, t *translator) error {
	known := map[key]struct{}{}
	for o := range l.engine.Origins() {
		for _, k := range t.keys(o) {
			known[k] = struct{}{}
		}
	}
	match := l.cfg.Prometheus.Match
	if len(match) == 0 {
		match = []string{`{__name__!=""}`}
	}
	list, err := l.client.list(ctx, match, l.from, l.to)
	if err != nil {
		return because(ctx, err)
	}
	all := families(&l.cfg.Prometheus, list, known)
	for _, f := range all {
		l.result.Listed += len(f.streams)
	}
	l.readAll(ctx, all)
	return because(ctx, errors.Join(l.failures...))
}

// because adds the cause to an error if the timeout has passed.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// readAll reads batches concurrently until all are read or mostFailures have failed.
func (l *loader) readAll(ctx context.Context, all []*family) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan []*family)
	var readers, speaker sync.WaitGroup
	for range min(manyWorkers, runtime.GOMAXPROCS(0)) {
		readers.Go(func() {
			for batch := range work {
				if err := l.read(ctx, batch); err != nil && l.failed(err) {
					cancel()
				}
			}
		})
	}
	spoken, hush := context.WithCancel(ctx)
	speaker.Go(func() { l.speak(spoken) })
	for batch := range batches(all) {
		select {
		case work <- batch:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	readers.Wait()
	hush()
	speaker.Wait()
}

// failed records an error and reports whether to stop.
func (l *loader) failed(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) < mostFailures {
		l.failures = append(l.failures, err)
	}
	return len(l.failures) == mostFailures
}

// speak logs the progress until ctx is done.
func (l *loader) speak(ctx context.Context) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.mu.Lock()
			r := l.result
			l.mu.Unlock()
			l.logger.Info("warm start: reading history", zap.Int("streams", r.Read), zap.Int("of", r.Listed), zap.Int64("samples", l.samples.Load()))
		}
	}
}

// read learns a batch of families, window by window. It keeps the result only if all windows were
// read.
func (l *loader) read(ctx context.Context, batch []*family) error {
	queries, err := selectors(batch, l.cfg.Prometheus.Match)
	if err != nil {
		return err
	}
	b := newBatch(&l.cfg.Prometheus, batch)
	study := l.engine.NewStudy()
	width := b.firstWindow(l.to.Sub(l.from))
	for from := l.from; from.Before(l.to); {
		to := from.Add(width)
		if to.After(l.to) {
			to = l.to
		}
		list, err := l.window(ctx, queries, from, to)
		if errors.Is(err, errTooMuch) && width > leastWindow {
			width = max(width/4, leastWindow).Truncate(time.Millisecond)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s and %d more metrics: %w", batch[0].name, len(batch)-1, err)
		}
		n := 0
		for i := range list {
			n += len(list[i].Samples)
		}
		l.samples.Add(int64(n))
		l.notUnderstood.Add(int64(b.learn(study, list)))
		if from = to; n < windowSamples/2 {
			width *= 2
		}
	}
	l.keep(b, study)
	return nil
}

// window reads a time range with all queries. A series that several queries select counts once.
func (l *loader) window(ctx context.Context, queries []string, from, to time.Time) (all []rawSeries, err error) {
	for _, query := range queries {
		list, err := l.client.samples(ctx, query, from, to)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// keep stores what a study learned, up to the limit of series.
func (l *loader) keep(b *batch, study *engine.Study) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, past := range study.Pasts() {
		if l.result.Series+past.Series() > l.limit {
			l.result.NoRoom += past.Series()
			continue
		}
		l.result.Series += past.Series()
		l.pasts[nameKey(name)] = past
	}
	for _, f := range b.families {
		l.result.Read += len(f.streams)
	}
}

// batch builds streams from the answers for one batch of families.
type batch struct {
	catalog
	families []*family
	wanted   map[key]struct{}
	ends     map[key]int64 // time of the last point of each stream
	series   int
}

func newBatch(p *Prometheus, all []*family) *batch {
	b := &batch{catalog: catalog{p, promseries.NewFamilies()}, families: all, wanted: map[key]struct{}{}, ends: map[key]int64{}}
	for _, f := range all {
		b.Histograms[f.name] = b.Histograms[f.name] || f.kind == promseries.Histogram
		b.Summaries[f.name] = b.Summaries[f.name] || f.kind == promseries.Summary
		b.series += f.series
		for k := range f.streams {
			b.wanted[k] = struct{}{}
		}
	}
	return b
}

// firstWindow returns the length of the first window, by the number of series.
func (b *batch) firstWindow(whole time.Duration) time.Duration {
	likely := time.Duration(windowSamples / max(b.series, 1) * int(likelyDistance))
	return min(max(likely, leastWindow), whole)
}

// stream holds the copies of one metric stream.
type stream struct {
	promseries.Member
	copies []*replica
}

// learn makes a study learn one window. It returns the number of series that are not valid.
func (b *batch) learn(study *engine.Study, list []rawSeries) (notUnderstood int) {
	streams := map[key]*stream{}
	seen := map[key]struct{}{} // two selectors may return the same series
	for i := range list {
		s := &list[i]
		name := s.Labels[model.MetricNameLabel]
		whole := keyOf(0, "", func(yield func(name, value string) bool) {
			for name, value := range s.Labels {
				yield(name, value)
			}
		})
		if has(seen, whole) {
			continue
		}
		seen[whole] = struct{}{}
		for _, m := range b.members(name, s.Labels) {
			k := b.key(m, s.Labels)
			if !has(b.wanted, k) {
				continue
			}
			if streams[k] == nil {
				streams[k] = &stream{Member: m}
			}
			if !streams[k].replica(b.replicaOf(s.Labels)).add(m, s) {
				notUnderstood++
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(streams)) { // a fixed order gives reproducible results
		s := streams[k]
		if points := merged(s.Kind, s.copies, b.ends[k]); len(points) > 0 {
			b.ends[k] = points[len(points)-1].T
			study.Observe(metricOf(s.Kind, keyName(k), points))
		}
	}
	return notUnderstood
}

// replica returns the copy with the given labels, and creates it if necessary.
func (s *stream) replica(labels string) *replica {
	i := slices.IndexFunc(s.copies, func(r *replica) bool { return r.labels == labels })
	if i < 0 {
		i = len(s.copies)
		s.copies = append(s.copies, &replica{labels: labels})
	}
	return s.copies[i]
}

// replicaOf returns the labels that distinguish a copy from others.
func (b *batch) replicaOf(labels map[string]string) string {
	var text strings.Builder
	for _, name := range b.prometheus.ReplicaLabels {
		text.WriteString(strconv.Quote(labels[name]))
	}
	return text.String()
}

// keyName returns the metric name of a key in a study. nameKey is its inverse.
func keyName(k key) string { return strconv.FormatUint(uint64(k), 16) }

func nameKey(name string) key {
	k, err := strconv.ParseUint(name, 16, 64)
	if err != nil {
		return key(math.MaxUint64) // unreachable: every name comes from keyName
	}
	return key(k)
}

// history holds the learned streams until live streams request them.
type history struct {
	translator *translator
	pasts      map[key]*engine.Past
}

// Take returns the past of a stream: that of the first of its keys that has one.
func (h *history) Take(o engine.Origin) *engine.Past {
	if len(h.pasts) == 0 {
		return nil
	}
	for _, k := range h.translator.keys(o) {
		if past := h.pasts[k]; past != nil {
			delete(h.pasts, k)
			return past
		}
	}
	return nil
}
