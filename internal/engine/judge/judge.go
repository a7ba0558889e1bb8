// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/charts"
	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/detect/season"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/census"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/feedback"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/pace"
	"github.com/auspex-otel/auspex/internal/engine/past"
	"github.com/auspex-otel/auspex/internal/engine/pending"
	"github.com/auspex-otel/auspex/internal/engine/room"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/policy"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/trace"
)

// Reasons why a data point could not be judged, as counted in view.Status.Refused.
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
	// last one, or ahead of the clock of ticks, until the stream continues from there.
	lateBeforeRestart = 30
	// The anomaly of a series without points closes after silentAfter, in ticks, and
	// silentCadences cadences of the series. Both must have passed.
	silentAfter    = 5 * time.Minute
	silentCadences = 10
	// MostSurprise bounds a surprise, in nats, so that sums of them and their text stay finite.
	MostSurprise = 1e4
	// leastCadence, in nanoseconds, bounds the decisions a day that one series is
	// taken to make: points that came at once by accident must not spend the budget of others.
	leastCadence = int64(10 * time.Millisecond)
)

// Config bounds the series and the anomalies.
type Config struct {
	FalseAlarms            budget.FalseAlarms
	Schedule               *budget.Schedule // by which points are judged, or nil
	MaxSeries              int
	SeriesTTL, AcceptAfter time.Duration
	Zone                   *season.Zone // of daily and weekly seasons
}

// Evidence takes what points show about causes, beside their values. Package causes implements it.
type Evidence interface {
	// Resource takes the attributes of a resource of a service at an event time, in nanoseconds.
	Resource(service string, attributes pcommon.Map, t int64)
	// Use takes the value of a quantity that an instance of a service uses.
	Use(service, instance, quantity string, v float64, t int64)
	// Peer returns the peer of an operation, or the zero Party.
	Peer(trace.Operation) incident.Party
}

// Judge holds the series and all that is found in them. It is not safe for concurrent use.
type Judge struct {
	cfg      Config
	logger   *zap.Logger
	evidence Evidence

	now       time.Time // of the latest tick
	streams   *series.Table[stream]
	memory    room.Memory
	census    *census.Census
	fullAt    time.Time // when there was no room for another series last
	resources map[series.ID]*resource
	services  map[string]*service
	tracker   *incident.Tracker
	// owners leads from a followed series to its stream.
	owners   map[uint64]series.ID
	exposed  map[uint64]struct{}
	findings *pending.Findings

	models    *ensemble.Options // of every model
	policies  *policy.Set       // nil if there are none
	held      map[string]uint64
	walkAt    time.Time // when idle streams are looked at next
	budget    *budget.Budget
	points    uint64
	chunks    uint64 // number of the latest chunk of all batches
	refused   map[string]uint64
	untimely  clock.Ledger
	warming   int
	evicted   uint64
	history   past.History  // nil if there is none
	charts    *charts.Store // nil without a console
	warmed    uint64        // series that began with a past
	feedback  feedback.Set
	restoring bool
	snapshots uint64     // that were begun
	due       []*service // whose group's round is over, within one batch
}

// New returns a judge that knows nothing yet. Connect and Tick must be called before the first point.
func New(cfg Config, logger *zap.Logger) *Judge {
	j := &Judge{cfg: cfg, logger: logger, models: &ensemble.Options{Zone: cfg.Zone, Accept: cfg.AcceptAfter}}
	j.Reset()
	return j
}

// Connect sets the receiver of evidence.
func (j *Judge) Connect(e Evidence) { j.evidence = e }

// Reset forgets everything that was learned. Settings stay.
func (j *Judge) Reset() {
	j.streams = series.NewTable[stream](j.cfg.MaxSeries, j.cfg.SeriesTTL)
	j.streams.Dropped = j.forget
	j.streams.TTL = func(st *stream) time.Duration { return pace.TimeToLive(st.cadence, j.cfg.SeriesTTL) }
	j.streams.Stale = func(st *stream) time.Duration { return pace.Stale(st.cadence) }
	j.streams.Learned = func(st *stream) uint64 { return st.series[0].n }
	if j.memory > 0 {
		j.streams.SetLimit(j.memory.Streams())
	}
	j.census, j.fullAt = census.New(), time.Time{}
	j.resources = map[series.ID]*resource{}
	j.services = map[string]*service{}
	j.tracker = incident.NewTracker()
	j.owners = map[uint64]series.ID{}
	j.exposed = map[uint64]struct{}{}
	j.findings = pending.New()
	j.refused, j.held = map[string]uint64{}, map[string]uint64{}
	j.walkAt = time.Time{}
	j.feedback = feedback.Set{}
	j.untimely = clock.Ledger{}
	j.budget = budget.New(j.cfg.FalseAlarms, j.cfg.Schedule)
	j.points, j.warming, j.evicted = 0, 0, 0
}

// SetNow sets the clock of ticks. Nothing ages.
func (j *Judge) SetNow(now time.Time) { j.now = now }

// Now returns the time of the latest tick.
func (j *Judge) Now() time.Time { return j.now }

// SetMemory bounds the memory of the series.
func (j *Judge) SetMemory(m room.Memory) {
	j.memory = m
	j.streams.SetLimit(m.Streams())
}

// BeginBatch spends the budget of the time that has passed.
func (j *Judge) BeginBatch() { j.budget.Spend(j.now) }

// EndBatch judges the groups whose round a batch has ended, and collects the changes of anomalies and incidents.
func (j *Judge) EndBatch() {
	j.closeRounds()
	j.CollectFindings()
}

// Refuse counts data points or values that cannot be judged, by reason.
func (j *Judge) Refuse(reason string, n uint64) {
	if n > 0 {
		j.refused[reason] += n
	}
}

// Tracker returns the tracker of incidents.
func (j *Judge) Tracker() *incident.Tracker { return j.tracker }

// Knows reports whether a service has series.
func (j *Judge) Knows(service string) bool { return j.services[service] != nil }

// Watermark returns the watermark of a service as its series know it, in nanoseconds, 0 if it has none.
func (j *Judge) Watermark(service string) int64 {
	if svc := j.services[service]; svc != nil {
		return svc.mark.Time()
	}
	return 0
}

// Tick sets the clock of ticks. Series that have had no points for too long age out, and their anomalies close.
func (j *Judge) Tick(now time.Time) {
	j.now = now
	j.streams.Age(now)
	j.census.Tick(now)
	for _, id := range j.tracker.Followed() {
		st, touched := j.streams.Peek(j.owners[id])
		if st == nil || st.silent && series.ID(id) == st.series[0].id {
			continue
		}
		if idle := now.Sub(touched); idle > silentAfter && idle > silentCadences*time.Duration(st.cadence) {
			j.silence(series.ID(id), st, incident.SeriesGone)
		}
	}
	j.feedback.Expire(now)
}
