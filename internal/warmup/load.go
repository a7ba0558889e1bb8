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
	// progressEvery is how often progress is in the log.
	progressEvery = 10 * time.Second
	// mostFailures is how many batches may fail until the rest is given up.
	mostFailures = 3
	// manyWorkers bounds the batches under way at once.
	manyWorkers = 4
	// windowSamples is how many samples one answer is to have, likelyDistance
	// that of two samples as long as nothing is known, leastWindow the shortest
	// window that is tried.
	windowSamples  = 500_000
	likelyDistance = 15 * time.Second
	leastWindow    = time.Minute
)

// Result says how a warm start went.
type Result struct {
	// Listed counts the streams that the server has and the engine has not, Read those of them that were read,
	// Series the series that the engine would make of these, NoRoom those beyond its limit, NotUnderstood the series that are no part of a metric.
	Listed, Read, Series, NoRoom, NotUnderstood int
	// Samples and Requests are what it took.
	Samples, Requests int64
}

// loader reads the history of one engine.
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

// Load reads the history up to now and gives it to the engine, which must not
// have seen live telemetry yet. It returns an error if something could not be
// read; what could be, the engine has. maxSeries bounds the series that are kept.
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

// because says in an error that time ran out, where it did.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// readAll reads batches, several at once, until all are read or too much has failed.
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

// failed notes an error and reports whether to give up.
func (l *loader) failed(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) < mostFailures {
		l.failures = append(l.failures, err)
	}
	return len(l.failures) == mostFailures
}

// speak tells of the progress until ctx ends.
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

// read learns a batch of families, window after window, and keeps what was learned if all of it was there.
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

// window reads a span of time with all queries. A series that two of them select counts once.
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

// keep takes over what a study learned, as far as there is room.
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

// batch makes streams of the answers to one batch of families.
type batch struct {
	catalog
	families []*family
	wanted   map[key]struct{}
	ends     map[key]int64 // time of each stream's last point
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

// firstWindow is as long as is likely to be right for the number of series.
func (b *batch) firstWindow(whole time.Duration) time.Duration {
	likely := time.Duration(windowSamples / max(b.series, 1) * int(likelyDistance))
	return min(max(likely, leastWindow), whole)
}

// stream is one metric stream and the copies of it.
type stream struct {
	promseries.Member
	copies []*replica
}

// learn has a study learn one window. It returns the number of series that it could not understand.
func (b *batch) learn(study *engine.Study, list []rawSeries) (notUnderstood int) {
	streams := map[key]*stream{}
	seen := map[key]struct{}{} // a series twice, which two selectors chose
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
	for _, k := range slices.Sorted(maps.Keys(streams)) { // one order: the same history teaches the same
		s := streams[k]
		if points := merged(s.Kind, s.copies, b.ends[k]); len(points) > 0 {
			b.ends[k] = points[len(points)-1].T
			study.Observe(metricOf(s.Kind, keyName(k), points))
		}
	}
	return notUnderstood
}

// replica finds or makes a copy.
func (s *stream) replica(labels string) *replica {
	i := slices.IndexFunc(s.copies, func(r *replica) bool { return r.labels == labels })
	if i < 0 {
		i = len(s.copies)
		s.copies = append(s.copies, &replica{labels: labels})
	}
	return s.copies[i]
}

// replicaOf is what tells a copy from the others.
func (b *batch) replicaOf(labels map[string]string) string {
	var text strings.Builder
	for _, name := range b.prometheus.ReplicaLabels {
		text.WriteString(strconv.Quote(labels[name]))
	}
	return text.String()
}

// keyName is a key as the name of a metric in a study, and nameKey leads back.
func keyName(k key) string { return strconv.FormatUint(uint64(k), 16) }

func nameKey(name string) key {
	k, err := strconv.ParseUint(name, 16, 64)
	if err != nil {
		return key(math.MaxUint64) // can't be: every name is by keyName
	}
	return key(k)
}

// history is what was learned, until live streams ask for it.
type history struct {
	translator *translator
	pasts      map[key]*engine.Past
}

// Take returns the past of a stream: of the first of its keys that has one.
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
