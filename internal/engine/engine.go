// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/level"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Reasons why a data point could not be judged, as counted in Status.Refused.
const (
	RefusedNotFinite   = "not_finite"
	RefusedNoTimestamp = "no_timestamp"
	RefusedOutOfOrder  = "out_of_order"
	RefusedDuplicate   = "duplicate"
	RefusedNoValue     = "no_recorded_value"
	RefusedMalformed   = "malformed"
	RefusedUnsupported = "unsupported_type"
)

const (
	// lateBeforeRestart is how many points in a row may lie before a stream's last
	// one until that one is taken for wrong (a clock far ahead) and the stream goes on from here.
	lateBeforeRestart = 30
	// silentAfter is how long an anomalous series may send nothing, in ticks, and
	// silentCadences how many of its cadences, until its anomaly closes. Both must have passed.
	silentAfter    = 5 * time.Minute
	silentCadences = 10
	// leastLogP bounds a surprise, so that sums of them and their text stay finite.
	leastLogP = -1e4
	// leastCadence, in nanoseconds, bounds the decisions a day that one series is
	// taken to make: points that came at once by accident are to cost nobody the budget.
	leastCadence = int64(10 * time.Millisecond)
)

// Engine is the one engine. All methods are safe for concurrent use.
type Engine struct {
	cfg    Config
	logger *zap.Logger
	// clock ticks the default engine, which has no owner with a ticker. Else nil.
	clock func() time.Time

	mu       sync.Mutex
	now      time.Time // of the latest tick
	streams  *series.Table[stream]
	sources  map[series.ID]*source
	services map[string]*service
	tracker  *incident.Tracker
	// owners leads from a followed series to its stream.
	owners  map[uint64]series.ID
	exposed map[uint64]struct{}
	recent  *recentBatches
	findings

	decisionsPerDay int64
	points          uint64
	refused         map[string]uint64
	warming         int
	evicted         uint64
	snapshots
	restoring   bool
	refs        []ref // scratch of one batch
	unsupported int   // data points of the batch that no model exists for
	samples     [seriesPerHistogram]sample
}

// source is a resource: where telemetry comes from. Its watermark is the latest
// event time that was seen of it, in nanoseconds.
type source struct {
	id        series.ID
	resource  pcommon.Map
	service   *service
	streams   int
	watermark int64
}

// service is what the gauges per service need. Both times are event times in nanoseconds.
type service struct {
	name      string
	sources   int
	watermark int64
	delivered int64 // watermark of the gauges that were delivered last
	// maxScore is the greatest score since the gauges were last asked for, unsent that of the time before, until it was delivered.
	maxScore, unsent float64
}

// stream is the data points of one identity: resource, scope, metric and attributes.
type stream struct {
	id           series.ID
	source       *source
	scope        pcommon.InstrumentationScope
	metric, unit string
	attributes   pcommon.Map
	meter        meter
	cadence      int64 // usual distance of two points, nanoseconds
	late         int
	series       []tracked
}

// tracked is one statistic of a stream: a series with its model and its latest verdict.
type tracked struct {
	id    series.ID
	stat  statistic
	model detect.Model
	n     uint64
	last  verdict
}

// verdict is what was said about one sample.
type verdict struct {
	time                                    int64
	score, observed, expected, lower, upper float64
	phase                                   incident.Phase
	shown                                   bool
}

// New returns an engine that knows nothing yet. Tick must be called before the first observation.
func New(cfg Config, logger *zap.Logger) *Engine {
	e := &Engine{cfg: cfg, logger: logger}
	e.reset()
	return e
}

// reset forgets everything.
func (e *Engine) reset() {
	e.streams = series.NewTable[stream](e.cfg.MaxSeries, e.cfg.SeriesTTL)
	e.streams.Dropped = e.forget
	e.sources = map[series.ID]*source{}
	e.services = map[string]*service{}
	e.tracker = incident.NewTracker()
	e.owners = map[uint64]series.ID{}
	e.exposed = map[uint64]struct{}{}
	e.recent = newRecentBatches()
	e.findings.clear()
	e.refused = map[string]uint64{}
	e.decisionsPerDay, e.points, e.warming, e.evicted = 0, 0, 0, 0
}

// Tick tells the engine what time it is where it runs. Series that have been
// silent for too long age out, and their anomalies close.
func (e *Engine) Tick(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tick(now)
}

func (e *Engine) tick(now time.Time) {
	e.now = now
	e.streams.Age(now)
	for _, id := range e.tracker.Followed() {
		st, touched := e.streams.Peek(e.owners[id])
		if st == nil {
			continue
		}
		if idle := now.Sub(touched); idle > silentAfter && idle > silentCadences*time.Duration(st.cadence) {
			e.silence(series.ID(id), st)
		}
	}
	e.noteNews()
}

// forget is told of every stream that leaves the table.
func (e *Engine) forget(_ series.ID, st *stream) {
	e.decisionsPerDay -= st.decisionsPerDay()
	for i := range st.series {
		e.evicted++
		if st.series[i].warming() {
			e.warming--
		}
		e.silence(st.series[i].id, st)
	}
	st.source.streams--
	e.releaseSource(st.source)
}

// releaseSource forgets a source that has no streams.
func (e *Engine) releaseSource(src *source) {
	if src.streams > 0 || e.restoring {
		return
	}
	delete(e.sources, src.id)
	if src.service.sources--; src.service.sources == 0 {
		delete(e.services, src.service.name)
	}
}

// silence closes the anomaly of a series that has stopped coming, and has its
// gauges ended by the findings receiver, for there is no batch to end them in.
func (e *Engine) silence(id series.ID, st *stream) {
	e.tracker.Silence(uint64(id))
	delete(e.owners, uint64(id))
	_, exposed := e.exposed[uint64(id)]
	delete(e.exposed, uint64(id))
	for i := range st.series {
		if s := &st.series[i]; s.id == id {
			s.last.score = 0 // what is silent is not above the threshold
			if exposed {
				e.addStale(st.stale(s))
			}
		}
	}
}

// sourceOf finds or makes the source of a resource.
func (e *Engine) sourceOf(res pcommon.Resource) *source {
	id := series.Attributes(res.Attributes())
	if src := e.sources[id]; src != nil {
		return src
	}
	return e.addSource(id, res.Attributes())
}

func (e *Engine) addSource(id series.ID, attributes pcommon.Map) *source {
	name := serviceName(attributes)
	svc := e.services[name]
	if svc == nil {
		svc = &service{name: name}
		e.services[name] = svc
	}
	svc.sources++
	src := &source{id: id, resource: pcommon.NewMap(), service: svc}
	attributes.CopyTo(src.resource)
	e.sources[id] = src
	return src
}

// serviceName is the service that a resource speaks for: its service.name, else
// its host.name, so that a machine's own metrics have a home.
func serviceName(attributes pcommon.Map) string {
	for _, key := range [...]string{vocabulary.ServiceName, vocabulary.HostName} {
		if v, ok := attributes.Get(key); ok && v.AsString() != "" {
			return v.AsString()
		}
	}
	return vocabulary.UnknownService
}

// streamOf finds or makes the stream of a reference. New streams begin in the
// source's care even where the source has just been forgotten with its last stream.
func (e *Engine) streamOf(r *ref) *stream {
	if st := e.streams.Get(r.id, e.now); st != nil {
		return st
	}
	stats := streamStats(r.metric)
	st := stream{id: r.id, scope: pcommon.NewInstrumentationScope(), metric: r.metric.Name(), unit: r.metric.Unit(), attributes: pcommon.NewMap()}
	r.scope.CopyTo(st.scope)
	r.attributes.CopyTo(st.attributes)
	st.series = newSeries(r.id, stats)
	added := e.streams.Add(r.id, len(stats), e.now, st)
	added.source = e.sourceOf(r.resource)
	added.source.streams++
	e.warming += len(stats)
	return added
}

func newSeries(stream series.ID, stats []statistic) []tracked {
	list := make([]tracked, len(stats))
	for i, s := range stats {
		list[i] = tracked{id: stream.Join(series.Number(uint64(s))), stat: s, model: level.New(), last: verdict{expected: math.NaN()}}
	}
	return list
}

// warming tells whether the series has had no verdict yet.
func (s *tracked) warming() bool { return math.IsNaN(s.last.expected) }

// observe takes one data point: at most one sample per statistic.
func (e *Engine) observe(r *ref, alpha float64, out Output, verdicts []Verdict) []Verdict {
	t := r.time
	st := e.streamOf(r)
	if st.meter.seen && t <= st.meter.time {
		return e.repeated(r, st, t, out, verdicts)
	}
	st.late = 0
	samples, refused := e.measure(r, st)
	if refused != "" {
		e.refused[refused]++
		return verdicts
	}
	st.source.watermark = max(st.source.watermark, t)
	st.source.service.watermark = max(st.source.service.watermark, t)
	for _, s := range samples {
		if math.IsInf(s.v, 0) || math.IsNaN(s.v) { // two finite values can lie further apart than a float64 reaches
			e.refused[RefusedNotFinite]++
			continue
		}
		for i := range st.series {
			if st.series[i].stat == s.stat {
				e.judge(st, &st.series[i], t, s.v, alpha, out)
				verdicts = st.series[i].show(r, st.unitOf(st.series[i].stat), out, verdicts)
			}
		}
	}
	return verdicts
}

// measure makes samples of a data point and learns the stream's cadence.
func (e *Engine) measure(r *ref, st *stream) (samples []sample, refused string) {
	before, seen := st.meter.time, st.meter.seen
	if r.metric.Type() == pmetric.MetricTypeHistogram {
		samples, refused = st.meter.histogram(r.metric, r.metric.Histogram().DataPoints().At(r.Point), e.samples[:0])
	} else {
		samples, refused = st.meter.number(r.metric, r.number(), e.samples[:0])
	}
	if refused == "" && seen {
		e.decisionsPerDay -= st.decisionsPerDay()
		st.learnCadence(st.meter.time - before)
		e.decisionsPerDay += st.decisionsPerDay()
	}
	return samples, refused
}

// learnCadence moves a slow average towards the latest distance, which counts as
// at most twice and at least half of it, so that a gap is no new cadence.
func (st *stream) learnCadence(d int64) {
	if st.cadence == 0 {
		st.cadence = d
		return
	}
	step := (min(max(d, st.cadence/2), 2*st.cadence) - st.cadence) / 10
	if step == 0 && d > st.cadence {
		step = 1
	}
	st.cadence = max(1, st.cadence+step)
}

// decisionsPerDay is a whole number, so that a sum over streams does not depend on their order.
func (st *stream) decisionsPerDay() int64 {
	if st.cadence == 0 {
		return 0
	}
	return int64(len(st.series)) * int64(24*time.Hour) / max(st.cadence, leastCadence)
}

// judge has the model say its surprise, scores it and follows the series' anomaly.
func (e *Engine) judge(st *stream, s *tracked, t int64, v, alpha float64, out Output) {
	was := s.warming()
	p := s.model.Observe(t, v)
	s.n++
	e.points++
	p.LogP, p.Lower, p.Upper = max(p.LogP, leastLogP), max(p.Lower, -math.MaxFloat64), min(p.Upper, math.MaxFloat64)
	s.last = verdict{time: t, score: detect.Score(p.LogP, alpha), observed: v, expected: p.Expected, lower: p.Lower, upper: p.Upper}
	if was && !s.warming() {
		e.warming--
	}
	svc := st.source.service
	svc.maxScore = max(svc.maxScore, s.last.score)
	id := uint64(s.id)
	if s.last.score < 1 && !e.tracker.Follows(id) {
		return
	}
	s.last.phase = e.tracker.Observe(incident.Point{
		Series: id, Time: t, Cadence: max(st.cadence, 1), Score: s.last.score, LogP: p.LogP,
		Observed: v, Expected: p.Expected, Lower: p.Lower, Upper: p.Upper, Kind: p.Kind.String(),
	}, func() incident.Subject { return st.subject(s) })
	if e.tracker.Follows(id) {
		e.owners[id] = st.id
	} else {
		delete(e.owners, id)
	}
	e.expose(s, out)
}

// expose decides whether the companions of a followed series are shown.
func (e *Engine) expose(s *tracked, out Output) {
	id := uint64(s.id)
	_, shown := e.exposed[id]
	switch {
	case s.last.phase == incident.PhaseExposed && !shown && out.Select != SelectNone && len(e.exposed) < out.MaxSeries:
		e.exposed[id] = struct{}{}
		shown = true
	case s.last.phase != incident.PhaseExposed:
		delete(e.exposed, id)
	}
	s.last.shown = shown
}

// repeated answers a point at or before the stream's last time: it is not
// observed again. The very last point gets the verdict that it got.
func (e *Engine) repeated(r *ref, st *stream, t int64, out Output, verdicts []Verdict) []Verdict {
	if t < st.meter.time {
		e.refused[RefusedOutOfOrder]++
		if st.late++; st.late >= lateBeforeRestart {
			e.turnBack(st, t)
		}
		return verdicts
	}
	e.refused[RefusedDuplicate]++
	for i := range st.series {
		if st.series[i].last.time == t {
			e.expose(&st.series[i], out) // the pipeline before this one may show nothing
			verdicts = st.series[i].show(r, st.unitOf(st.series[i].stat), out, verdicts)
		}
	}
	return verdicts
}

// turnBack has a stream go on from t, which lies before what it had seen: its
// clock was wrong then. Anomalies of that time end there.
func (e *Engine) turnBack(st *stream, t int64) {
	for i := range st.series {
		if e.tracker.Follows(uint64(st.series[i].id)) {
			e.silence(st.series[i].id, st)
		}
	}
	st.late, st.meter = 0, meter{}
	st.source.watermark, st.source.service.watermark = t, t
}

// subject names a series for people and events.
func (st *stream) subject(s *tracked) incident.Subject {
	return incident.Subject{
		Series: s.id.String(), Service: st.source.service.name, Metric: st.metric, Statistic: statNames[s.stat],
		Unit: st.unitOf(s.stat), Attributes: texts(st.attributes),
	}
}

// unitOf is the unit of a statistic: a rate is per second, of the unit that is
// counted; all others are in the metric's own unit.
func (st *stream) unitOf(s statistic) string {
	switch {
	case s != statRate:
		return st.unit
	case st.unit == "" || len(st.series) == seriesPerHistogram:
		return "1/s"
	default:
		return st.unit + "/s"
	}
}

func texts(m pcommon.Map) map[string]string {
	if m.Len() == 0 {
		return nil
	}
	t := make(map[string]string, m.Len())
	for k, v := range m.All() {
		t[k] = v.AsString()
	}
	return t
}
