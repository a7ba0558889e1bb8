// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/detect/season"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/feedback"
	"github.com/auspex-otel/auspex/internal/engine/shards"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// noEvidence ignores what points show about causes.
type noEvidence struct{}

func (noEvidence) Resource(string, pcommon.Map, int64)        {}
func (noEvidence) Use(string, string, string, float64, int64) {}
func (noEvidence) Peer(trace.Operation) (none incident.Party) { return none }

// alone does work when it is added.
type alone struct{}

func (alone) Add(w shards.Work) { w.Do() }
func (alone) Finish()           {}

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// cadence is the distance of two points, in seconds. history is the number of steps until models are warm.
const cadence, history = 10, 400

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func newJudge() *Judge {
	j := New(Config{
		FalseAlarms: budget.FalseAlarms{Count: 1e6, Per: 24 * time.Hour, Replicas: 1, MaxAlpha: 1e-4},
		MaxSeries:   100_000, SeriesTTL: 24 * time.Hour, AcceptAfter: ensemble.DefaultAccept, Zone: season.NewZone(time.UTC),
	}, zap.NewNop())
	j.Connect(noEvidence{})
	j.Tick(start)
	return j
}

// gauges has the judge observe one point of each gauge of a service.
func gauges(j *Judge, service string, second int, values map[string]float64) {
	resource, scope := pcommon.NewResource(), pcommon.NewInstrumentationScope()
	resource.Attributes().PutStr(vocabulary.ServiceName, service)
	var points []Point
	for _, name := range slices.Sorted(maps.Keys(values)) {
		m := pmetric.NewMetric()
		m.SetName(name)
		dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
		dp.SetTimestamp(pcommon.NewTimestampFromTime(at(second)))
		dp.SetDoubleValue(values[name])
		points = append(points, Point{
			ID: series.Text(service).Join(series.Text(name)), Time: at(second).UnixNano(),
			Attributes: dp.Attributes(), Resource: resource, Scope: scope, Metric: m,
		})
	}
	j.BeginBatch()
	j.Points(&Batch{Points: points}, Output{Select: SelectAnomalous, MaxSeries: 1000}, alone{})
	j.EndBatch()
}

// fleet is one service of four gauges. Gauge b sends at the steps at which sends says so.
type fleet struct {
	judge *Judge
	step  int
	sends func(step int) bool
	shift float64 // of gauge a
}

func (f *fleet) run(to int) {
	for ; f.step < to; f.step++ {
		values := map[string]float64{}
		for v, name := range []string{"a", "b", "c", "d"} {
			if name != "b" || f.sends == nil || f.sends(f.step) {
				random := rand.New(rand.NewPCG(uint64(v), uint64(f.step)))
				values[name] = 100 + random.Float64() + random.Float64()
			}
		}
		values["a"] += f.shift
		tick(f.judge, at(f.step*cadence))
		gauges(f.judge, "fleet", f.step*cadence, values)
	}
}

func tick(j *Judge, now time.Time) {
	j.Tick(now)
	j.FindAbsent()
	j.CollectFindings()
}

func openAnomalies(j *Judge) (n int) {
	for _, open := range j.tracker.OpenBy() {
		n += open
	}
	return n
}

func until(stop int) func(int) bool { return func(step int) bool { return step < stop } }

// A silence soon after a greater anomaly is news only when that is as long ago as for a point.
func TestOpeningRuleHoldsForSilence(t *testing.T) {
	const peak = history - 20
	f := &fleet{judge: newJudge(), sends: until(history)}
	f.run(peak)
	for _, st := range f.judge.streams.All() {
		st.series[0].rule.Next(1000, false)
	}
	f.run(peak + opening.Cooldown)
	assert.Zero(t, openAnomalies(f.judge))
	f.run(peak + opening.Cooldown + 5)
	assert.Equal(t, 1, openAnomalies(f.judge))
}

// opened counts the series that have opened an anomaly or were kept from it.
func opened(j *Judge) (n int) {
	for _, st := range j.streams.All() {
		for i := range st.series {
			if st.series[i].openAt > 0 {
				n++
			}
		}
	}
	return n
}

// A series teaches again once its silence has ended its anomaly.
func TestSilenceEndsWhatTeachesNothing(t *testing.T) {
	f := &fleet{judge: newJudge()}
	f.run(history)
	f.shift = 1e4
	f.run(history + 2)
	require.Equal(t, 1, opened(f.judge))
	require.Equal(t, len(f.judge.owners), opened(f.judge))
	tick(f.judge, at(history*cadence).Add(2*silentAfter))
	assert.Zero(t, opened(f.judge))
	assert.Empty(t, f.judge.owners)
}

// After a walk over many idle streams the next one waits.
func TestIdleStreamsAreLookedAtInMeasure(t *testing.T) {
	j := newJudge()
	values := map[string]float64{}
	for i := range 5 * walkPerSecond {
		values[strconv.Itoa(i)] = 0
	}
	gauges(j, "s", 0, values)
	now := at(0).Add(absentAfter)
	tick(j, now)
	assert.Equal(t, now.Add(5*time.Second), j.walkAt)
	tick(j, now.Add(time.Second))
	assert.Equal(t, now.Add(5*time.Second), j.walkAt)
	tick(j, now.Add(5*time.Second))
	assert.Equal(t, now.Add(10*time.Second), j.walkAt)
}

// Series that have no verdict yet have no interval to show, and open nothing.
func TestNothingOpensWithoutAnInterval(t *testing.T) {
	f := &fleet{judge: newJudge(), sends: until(history)}
	f.run(history + 2)
	for _, st := range f.judge.streams.All() {
		st.series[0].last.expected = math.NaN()
	}
	f.run(history + 100)
	assert.Zero(t, f.judge.tracker.Opened)
}

// Some of many may have a shock in common, as they have day after day.
func TestWideIncidentTeachesNothing(t *testing.T) {
	j := newJudge()
	st := &stream{resource: &resource{service: &service{}}}
	st.resource.service.streams = 10 * wideShare
	for followed, teaches := range map[int]bool{0: true, wide: true, 9: true, 10: false, 80: false} {
		st.resource.service.followed = followed
		assert.Equal(t, teaches, j.teaches(st, &tracked{}), followed)
		assert.False(t, j.teaches(st, &tracked{openAt: 1}), followed)
	}
}

func TestWaitThatCannotBeIsRefused(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		w := state.Writer(nil)
		(&waiting{peak: incident.Point{Observed: bad}}).persist(w)
		c := state.Reader(w.Bytes())
		(&waiting{}).persist(c)
		assert.ErrorIs(t, c.End(), state.Error)
	}
}

// What is held back for long teaches nothing either, and the series is not lost for teaching.
func TestWhatIsHeldTeachesNothing(t *testing.T) {
	f := &fleet{judge: newJudge()}
	_, err := f.judge.AddFeedback(feedback.Feedback{
		Kind: feedback.Silence, Target: feedback.Target{Service: "fleet"}, Who: "me", Why: "test", Expires: at(1e6),
	})
	require.NoError(t, err)
	f.run(history)
	require.Zero(t, opened(f.judge))
	f.shift = 1e4
	f.run(history + 15)
	assert.Equal(t, 1, opened(f.judge))
	assert.Zero(t, openAnomalies(f.judge))
	f.shift = 0
	f.run(history + 165)
	assert.Zero(t, opened(f.judge))
}

// A point is silenced by its own time, also before a tick removes the silence.
func TestSilenceGoesByTheTimeOfThePoint(t *testing.T) {
	f := &fleet{judge: newJudge()}
	f.run(3)
	_, err := f.judge.AddFeedback(feedback.Feedback{
		Kind: feedback.Silence, Target: feedback.Target{Service: "fleet"}, Who: "me", Why: "test", Expires: at(1000),
	})
	require.NoError(t, err)
	for _, st := range f.judge.streams.All() {
		assert.True(t, f.judge.silenced(st, &st.series[0], at(1000).UnixNano()-1))
		assert.False(t, f.judge.silenced(st, &st.series[0], at(1000).UnixNano()))
	}
}

func TestManyServicesAndResources(t *testing.T) {
	j := newJudge()
	for i := range 300 {
		gauges(j, fmt.Sprint("s", i%3), 0, map[string]float64{fmt.Sprint("m", i): 1})
	}
	assert.Len(t, j.services, 3)
	assert.Len(t, j.resources, 3)
	for _, s := range j.services {
		assert.Equal(t, 1, s.resources)
	}
	tick(j, at(0).Add(49*time.Hour))
	assert.Empty(t, j.services, "they age out")
	assert.Empty(t, j.resources)
}

// The record of an anomaly is written after that of its series, and may tell of another state.
func TestReconcile(t *testing.T) {
	s := tracked{n: 7}
	s.reconcile(true)
	assert.Equal(t, uint64(7), s.openAt, "it opened since")
	s.openAt, s.last.phase, s.last.shown = 3, incident.PhaseExposed, true
	s.reconcile(true)
	assert.Equal(t, uint64(3), s.openAt)
	assert.True(t, s.last.shown)
	s.reconcile(false)
	assert.False(t, s.last.shown, "it closed since")
	assert.Equal(t, incident.PhaseNone, s.last.phase)
}
