// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/charts"
	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/detect/novelty"
	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/detect/silence"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/census"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/feedback"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/outlet"
	"github.com/auspex-otel/auspex/internal/engine/pace"
	"github.com/auspex-otel/auspex/internal/engine/recent"
	"github.com/auspex-otel/auspex/internal/engine/room"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/policy"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/template"
)

// Reasons why a data point could not be judged, as counted in Status.Refused.
const (
	RefusedNotFinite   = meter.NotFinite
	RefusedNoTimestamp = "no_timestamp"
	RefusedOutOfOrder  = "out_of_order"
	RefusedDuplicate   = "duplicate"
	RefusedNoValue     = "no_recorded_value"
	RefusedMalformed   = meter.Malformed
	// RefusedTooDeep counts values of all signals that are nested too deep. Their records are judged without them.
	RefusedTooDeep = "too_deep"
	// RefusedNoRoom counts points, of all signals, of series for which there is no room: see internal/series.
	RefusedNoRoom = "no_room"
)

const (
	// lateBeforeRestart is the number of points in a row that must lie before a stream's
	// last one, or ahead of the clock of ticks, until the stream goes on from there.
	lateBeforeRestart = 30
	// The anomaly of a series without points closes after silentAfter, in ticks, and
	// silentCadences cadences of the series. Both must have passed.
	silentAfter    = 5 * time.Minute
	silentCadences = 10
	// mostSurprise bounds a surprise, in nats, so that sums of them and their text stay finite.
	mostSurprise = 1e4
	// leastCadence, in nanoseconds, bounds the decisions a day that one series is
	// taken to make: points that came at once by accident must not spend the budget of others.
	leastCadence = int64(10 * time.Millisecond)
)

// Engine is the one engine. All methods are safe for concurrent use.
type Engine struct {
	cfg    Config
	logger *zap.Logger
	// clock ticks the default engine, which has no owner with a ticker. Else nil.
	clock func() time.Time

	mu      sync.Mutex
	now     time.Time // of the latest tick
	streams *series.Table[stream]
	memory  room.Memory
	// operations and templates are how many more may be counted.
	operations, templates int
	census                *census.Census
	fullAt                time.Time // when there was no room for another series last
	resources             map[series.ID]*resource
	services              map[string]*service
	tracker               *incident.Tracker
	// owners leads from a followed series to its stream.
	owners      map[uint64]series.ID
	exposed     map[uint64]struct{}
	recent      *recent.Batches[Verdict]
	recentLogs  *recent.Batches[LogVerdict]
	recentSpans *recent.Batches[SpanVerdict]
	findings    findings
	outlet      outlet.Gate // of the findings receivers

	logs    *series.Table[logs]  // by service
	spans   *series.Table[spans] // by service
	miner   *template.Miner
	novelty novelty.Pool

	models    *ensemble.Options // of every model
	policies  *policy.Set       // nil if there are none
	held      map[string]uint64
	walkAt    time.Time // when idle streams are looked at next
	budget    *budget.Budget
	points    uint64
	refused   map[string]uint64
	untimely  clock.Ledger
	warming   int
	evicted   uint64
	disk      disk
	history   History       // nil if there is none
	charts    *charts.Store // nil without a console
	warmed    uint64        // series that began with a past
	feedback  feedback.Set
	links     links
	causality causality
	restoring bool
	refs      []ref      // scratch of one batch
	due       []*service // whose group's round is over, within one batch
	samples   [meter.MostSamples]meter.Sample
	params    []template.Param
}

// resource is the state of one OpenTelemetry resource: the sender of streams.
type resource struct {
	id         series.ID
	attributes pcommon.Map
	service    *service
	streams    int
	mark       clock.Mark // its watermark
	instance   string     // that it stands for, if any
	noted      int64      // when its attributes were read for changes
	written    uint64     // the latest snapshot that has its record, see disk.attempts
	life       silence.Life
}

// service holds the values of the gauges of one service.
type service struct {
	name      string
	resources int
	series    int // those that are watched, groups apart
	streams   int
	followed  int // series with an anomaly that is open or in its cooldown
	group     window.Round
	account   budget.Account
	mark      clock.Mark // its watermark
	delivered int64      // watermark of the gauges that were delivered last
	// maxScore is the greatest score since the gauges were last asked for, unsent that of the time before, until it was delivered.
	maxScore, unsent float64
	opened           uint64 // anomalies, ever
}

// stream is the data points of one identity: resource, scope, metric and attributes.
type stream struct {
	id           series.ID
	resource     *resource
	scope        pcommon.InstrumentationScope
	metric, unit string
	attributes   pcommon.Map
	meter        meter.Meter
	signal       Signal
	quantity     string        // that an instance uses: CPU or memory; else empty
	cadence      int64         // usual distance of two points, nanoseconds
	late         int           // points in a row that lie before the latest one, or ahead of the clock of ticks
	timing       clock.Verdict // on its latest point
	series       []tracked
	gaps         silence.Gaps
	seen         int64 // when it came last, on the clock of its resource's life
	silent       bool  // its absence has been found
	resting      bool  // it is silent, and makes no decisions
	// policy applies to the stream; it is nil if none does or asked is false. patience
	// is the least duration of its anomalies, in nanoseconds.
	policy   *policy.Policy
	asked    bool
	patience int64
}

// tracked is one statistic of a stream: a series with its model and its latest verdict.
type tracked struct {
	id       series.ID
	stat     meter.Statistic
	model    *ensemble.Model
	rule     opening.Rule
	member   budget.Member
	n        uint64
	openAt   uint64 // number n of the point at which an anomaly opened, 0 if there is none
	last     verdict
	wait     *waiting // nil unless a policy has it wait
	negative bool     // a value was below zero since the engine started
}

// verdict holds the result for one sample.
type verdict struct {
	time                                             int64
	score, opening, observed, expected, lower, upper float64
	phase                                            incident.Phase
	shown                                            bool
}

// New returns an engine that knows nothing yet. Tick must be called before the first observation.
func New(cfg Config, logger *zap.Logger) *Engine {
	e := &Engine{cfg: cfg, logger: logger, models: &ensemble.Options{Zone: cfg.zone(), Accept: cfg.AcceptAfter}}
	e.reset()
	return e
}

// reset forgets everything.
func (e *Engine) reset() {
	e.streams = series.NewTable[stream](e.cfg.MaxSeries, e.cfg.SeriesTTL)
	e.streams.Dropped = e.forget
	e.streams.TTL = func(st *stream) time.Duration { return pace.TimeToLive(st.cadence, e.cfg.SeriesTTL) }
	e.streams.Stale = func(st *stream) time.Duration { return pace.Stale(st.cadence) }
	e.streams.Learned = func(st *stream) uint64 { return st.series[0].n }
	if e.memory > 0 {
		e.streams.SetLimit(e.memory.Streams())
	}
	e.operations, e.templates = e.memory.Entries(), e.memory.Entries()
	e.census, e.fullAt = census.New(), time.Time{}
	e.resources = map[series.ID]*resource{}
	e.services = map[string]*service{}
	e.tracker = incident.NewTracker()
	e.owners = map[uint64]series.ID{}
	e.exposed = map[uint64]struct{}{}
	e.recent, e.recentLogs, e.recentSpans = recent.New[Verdict](), recent.New[LogVerdict](), recent.New[SpanVerdict]()
	e.causality = newCausality()
	e.spans = series.NewTable[spans](maxSpanServices, e.cfg.SeriesTTL)
	e.spans.Learned, e.spans.Stale = (*spans).learned, func(*spans) time.Duration { return pace.Stale(0) }
	e.logs = series.NewTable[logs](maxLogServices, e.cfg.SeriesTTL)
	e.logs.Learned, e.logs.Stale = (*logs).learned, func(*logs) time.Duration { return pace.Stale(0) }
	e.miner, e.novelty = e.cfg.miner(), novelty.Pool{}
	e.findings.clear()
	e.refused, e.held = map[string]uint64{}, map[string]uint64{}
	e.walkAt = time.Time{}
	e.feedback = feedback.Set{}
	e.untimely = clock.Ledger{}
	e.links = links{namespaces: map[string]string{}, heard: map[string]heard{}}
	e.budget = budget.New(e.cfg.FalseAlarms)
	e.points, e.warming, e.evicted = 0, 0, 0
}

// Tick sets the wall clock of the engine. Series that have had no points for too long
// age out, and their anomalies close.
func (e *Engine) Tick(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tick(now)
}

func (e *Engine) tick(now time.Time) {
	e.now = now
	e.streams.Age(now)
	e.census.Tick(now)
	for _, id := range e.tracker.Followed() {
		st, touched := e.streams.Peek(e.owners[id])
		if st == nil || st.silent && series.ID(id) == st.series[0].id {
			continue
		}
		if idle := now.Sub(touched); idle > silentAfter && idle > silentCadences*time.Duration(st.cadence) {
			e.silence(series.ID(id), st, incident.SeriesGone)
		}
	}
	e.feedback.Expire(now)
	e.causality.turnBack(now)
	e.updateLinks(now)
	e.findSilent(now)
	e.tickLogs(now)
	e.tickSpans(now)
	e.noteNews()
}

// forget is the callback for every stream that leaves the table.
func (e *Engine) forget(_ series.ID, st *stream) {
	e.uncount(st)
	for i := range st.series {
		e.evicted++
		if st.series[i].warming() {
			e.warming--
		}
		e.silence(st.series[i].id, st, incident.SeriesGone)
		e.budget.Leave(&st.series[i].member)
	}
	st.resource.release(st)
	e.releaseResource(st.resource)
}

// releaseResource forgets a resource that has no streams.
func (e *Engine) releaseResource(res *resource) {
	if res.streams > 0 || e.restoring {
		return
	}
	delete(e.resources, res.id)
	if res.service.resources--; res.service.resources == 0 {
		delete(e.services, res.service.name)
	}
}

// silence closes the anomaly of a series that is no longer followed, for the given
// reason, and has its gauges ended by the findings receiver, for there is no batch
// to end them in.
func (e *Engine) silence(id series.ID, st *stream, why incident.Reason) {
	e.tracker.Silence(uint64(id), why)
	if _, followed := e.owners[uint64(id)]; followed {
		st.resource.service.followed--
		delete(e.owners, uint64(id))
	}
	_, exposed := e.exposed[uint64(id)]
	delete(e.exposed, uint64(id))
	for i := range st.series {
		if s := &st.series[i]; s.id == id {
			s.last.score = 0 // what is silent is not above the threshold
			s.openAt, s.last.phase, s.last.shown = 0, incident.PhaseNone, false
			if exposed {
				c := st.companions(s)
				c.End = true
				e.findings.addCompanions(c)
			}
		}
	}
}

// count and uncount add and take away the decisions a day of a stream.
func (e *Engine) count(st *stream)   { e.countTimes(st, 1) }
func (e *Engine) uncount(st *stream) { e.countTimes(st, -1) }

func (e *Engine) countTimes(st *stream, sign int64) {
	if d := st.decisionsPerDay(); d > 0 {
		e.budget.Count(&st.resource.service.account, st.signal, sign*d, sign*int64(len(st.series)))
	}
}

// rest has a stream that is silent make no decisions, wake has it make them again.
func (e *Engine) rest(st *stream) {
	e.uncount(st)
	st.resting = true
}

func (e *Engine) wake(st *stream) {
	if st.resting {
		st.resting = false
		e.count(st)
	}
}

// alpha is the accepted false-alarm probability per decision of a stream.
func (e *Engine) alpha(st *stream) float64 {
	return e.budget.Alpha(&st.resource.service.account, st.signal)
}

// alphaOf is that of a signal in a service, which may have no series.
func (e *Engine) alphaOf(service string, s Signal) float64 {
	if svc := e.services[service]; svc != nil {
		return e.budget.Alpha(&svc.account, s)
	}
	return e.cfg.FalseAlarms.MaxAlpha
}
