// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/room"
	"github.com/auspex-otel/auspex/internal/incident"
)

func TestConfig(t *testing.T) {
	cfg := DefaultConfig()
	require.NoError(t, cfg.Validate())
	for key, c := range map[string]func(*Config){
		"false_alarms::count":     func(c *Config) { c.FalseAlarms.Count = 0 },
		"false_alarms::per":       func(c *Config) { c.FalseAlarms.Per = time.Second },
		"false_alarms::max_alpha": func(c *Config) { c.FalseAlarms.MaxAlpha = 0.2 },
		"false_alarms::replicas":  func(c *Config) { c.FalseAlarms.Replicas = 0 },
		"time_zone":               func(c *Config) { c.TimeZone = "Europe/Atlantis" },
		"max_series":              func(c *Config) { c.MaxSeries = meter.MostSamples - 1 },
		"series_ttl":              func(c *Config) { c.SeriesTTL = 0 },
		"accept_after":            func(c *Config) { c.AcceptAfter = time.Second },
	} {
		bad := DefaultConfig()
		c(&bad)
		err := bad.Validate()
		require.Error(t, err, key)
		assert.Regexp(t, "^"+key+" is ", err.Error())
	}
	nan := DefaultConfig()
	nan.FalseAlarms.Count, nan.FalseAlarms.MaxAlpha = -1, 0
	err := nan.Validate()
	require.ErrorContains(t, err, "false_alarms::count")
	require.ErrorContains(t, err, "false_alarms::max_alpha")
}

// Seven series every 10 s are 60,480 decisions a day; with five false alarms a day, each may be one by 8.3e-5.
func TestAlphaFollowsFromSeriesAndCadence(t *testing.T) {
	w := newWorld(newEngine(func(c *Config) { c.FalseAlarms = DefaultConfig().FalseAlarms }), "cart")
	assert.InDelta(t, 1e-3, w.engine.Status().Signals[SignalMetrics].Alpha, 0, "nothing is known of the decisions yet")
	w.run(1)
	assert.Zero(t, w.engine.Status().Signals[SignalMetrics].DecisionsPerDay, "one point has no cadence")
	w.run(1)
	assert.Equal(t, int64(7*8640), w.engine.Status().Signals[SignalMetrics].DecisionsPerDay)
	w.run(1) // α is that of the latest batch
	assert.InEpsilon(t, 5.0/(7*8640), w.engine.Status().Signals[SignalMetrics].Alpha, 1e-12)
	w.services = append(w.services, "payment")
	w.run(2)
	assert.Equal(t, int64(14*8640), w.engine.Status().Signals[SignalMetrics].DecisionsPerDay)

	// When the series are gone, so are their decisions.
	w.engine.Tick(start.Add(48 * time.Hour))
	assert.Zero(t, w.engine.Status().Signals[SignalMetrics].DecisionsPerDay)
	assert.Zero(t, w.engine.Status().Series)
}

func TestKnobsOfTheBudgetDecideWhatIsAnomalous(t *testing.T) {
	score := func(change func(*Config)) float64 {
		w := newWorld(newEngine(change), "cart")
		w.out = shownAll
		w.run(history)
		return first(w.run(1, "cart")[0])[0].Score
	}
	base := func(c *Config) {
		c.FalseAlarms = FalseAlarms{Count: 1, Per: 24 * time.Hour, Replicas: 1, MaxAlpha: 0.1}
	}
	normal := score(base)
	for name, change := range map[string]func(*Config){
		"count":     func(c *Config) { base(c); c.FalseAlarms.Count = 100 },
		"per":       func(c *Config) { base(c); c.FalseAlarms.Per = time.Hour },
		"max_alpha": func(c *Config) { base(c); c.FalseAlarms.MaxAlpha = 1e-9 },
		"replicas":  func(c *Config) { base(c); c.FalseAlarms.Replicas = 10 },
	} {
		got := score(change)
		if name == "max_alpha" || name == "replicas" {
			assert.Less(t, got, normal, name)
		} else {
			assert.Greater(t, got, normal, name)
		}
	}
}

func TestCadence(t *testing.T) {
	feed := func(seconds ...float64) float64 {
		e := newEngine()
		for _, s := range seconds {
			e.Tick(at(s))
			e.ObserveMetrics(from("s", gauge("m", s, 1)), shownNone)
		}
		return e.Series(SeriesQuery{})[0].CadenceSeconds
	}
	assert.Zero(t, feed(0))
	assert.InDelta(t, 10, feed(0, 10), 0)
	assert.InDelta(t, 10, feed(0, 10, 20, 30), 0)
	assert.InDelta(t, 11, feed(0, 10, 50_000), 1e-9, "a gap counts as at most twice the usual distance")
	assert.InDelta(t, 9.5, feed(0, 10, 10.001), 1e-9, "a stray point as at least half of it")

	changed := []float64{0, 10}
	for i := range 100 {
		changed = append(changed, 10+60*float64(i+1))
	}
	assert.InDelta(t, 60, feed(changed...), 1, "a new cadence is learned")
}

// A resource that writes two points of one scrape a nanosecond apart must neither
// be taken permanently for one that decides 86 billion times a day, nor spend the budget of others.
func TestCadenceRecoversFromTwoPointsAtOnce(t *testing.T) {
	for _, apart := range []time.Duration{1, 9, time.Microsecond, time.Millisecond} {
		e := newEngine(func(c *Config) { c.FalseAlarms = DefaultConfig().FalseAlarms })
		e.ObserveMetrics(from("s", gauge("m", 0, 1)), shownNone)
		md := from("s", gauge("m", 0, 1))
		md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).SetTimestamp(stamp(0) + 1)
		if apart > 1 {
			md = from("s", gauge("m", apart.Seconds(), 1))
		}
		e.ObserveMetrics(md, shownNone)
		for i := range 400 {
			e.ObserveMetrics(from("s", gauge("m", float64(10+10*i), 1)), shownNone)
		}
		assert.InDelta(t, 10, e.Series(SeriesQuery{})[0].CadenceSeconds, 0.5, "first two points %v apart", apart)
		assert.Less(t, e.Status().Signals[SignalMetrics].DecisionsPerDay, int64(10_000), "first two points %v apart", apart)
	}
}

func TestSeriesAreBounded(t *testing.T) {
	w := newWorld(newEngine(func(c *Config) { c.MaxSeries = 3 * statistics }), "a", "b", "c")
	w.run(10)
	assert.Equal(t, 3*statistics, w.engine.Status().Series)
	assert.Zero(t, w.engine.Status().Evicted)
	w.services = append(w.services, "d")
	w.run(1)
	s := w.engine.Status()
	assert.Equal(t, 3*statistics, s.Series)
	assert.Zero(t, s.Evicted, "what has learned gives way to nothing that has learned less")
	assert.Empty(t, w.engine.Series(SeriesQuery{Service: "d"}))
	assert.Equal(t, uint64(3), s.Refused[RefusedNoRoom], "data points")
	crowd := w.engine.Crowd()
	assert.True(t, crowd.Rejecting)
	require.Len(t, crowd.Services, 4)
	assert.Equal(t, "n", crowd.Attributes[0].Name)

	w.services = []string{"b", "c"}
	w.run(6*61 + 1)
	assert.False(t, w.engine.Rejecting())
	w.services = []string{"b", "c", "d"}
	w.run(1)
	assert.Empty(t, w.engine.Series(SeriesQuery{Service: "a"}), "a was silent for an hour")
	assert.Len(t, w.engine.Series(SeriesQuery{Service: "d"}), statistics)
}

// A hundred and fifty thousand series of one request each, as an attribute with the id of the request makes them, cost
// a neighbor that has learned nothing, and no service more than its share.
func TestFloodOfSeriesCostsNeighborsNothing(t *testing.T) {
	e := newEngine(func(c *Config) { c.MaxSeries = 1000 })
	e.SetMaxMemory(500 * room.Modeled)
	learn := func(step int) {
		e.Tick(at(float64(step * 60)))
		e.ObserveMetrics(from("real", gauge("load", float64(step*60), make([]float64, 30)...)), shownNone)
	}
	for step := range 100 {
		learn(step)
	}
	before := e.Status().Signals[SignalMetrics].Alpha
	for i := range 150 {
		md := from("noisy", gauge("requests", float64(100*60), make([]float64, 1000)...))
		for k, dp := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().All() {
			dp.Attributes().PutStr("request.id", fmt.Sprint(i, "-", k))
		}
		e.ObserveMetrics(md, shownNone)
	}
	learn(100)
	views := e.Series(SeriesQuery{Service: "real", Metric: "load"})
	require.Len(t, views, 30)
	for _, v := range views {
		assert.Equal(t, uint64(101), v.Points)
	}
	s := e.Status()
	assert.LessOrEqual(t, s.Bytes, s.MaxBytes)
	assert.Equal(t, 500*room.Modeled, s.MaxBytes)
	assert.Greater(t, s.Series, 300)
	assert.InEpsilon(t, before, s.Signals[SignalMetrics].Alpha, 0.01)
	assert.Equal(t, []string{"noisy", "request.id"}, []string{e.Crowd().Services[0].Name, e.Crowd().Attributes[0].Name})

	// A smaller limit keeps what has learned the most.
	e.SetMaxMemory(60 * room.Modeled)
	assert.Len(t, e.Series(SeriesQuery{Service: "real", Metric: "load"}), 30)
}

// Everything that hangs on a series goes with it.
func TestNothingIsLeftOfWhatWasEvicted(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.run(history)
	w.run(1, "cart")
	e := w.engine
	require.Equal(t, 1, e.Status().OpenAnomalies)
	e.Tick(at(history * cadence).Add(25 * time.Hour))
	s := e.Status()
	assert.Zero(t, s.Series)
	assert.Zero(t, s.Warming)
	assert.Equal(t, uint64(statistics), s.Evicted)
	assert.Zero(t, s.OpenAnomalies)
	assert.Zero(t, s.Signals[SignalMetrics].DecisionsPerDay)
	assert.False(t, e.judge.Knows("cart"))
	assert.Len(t, e.PendingGauges().Companions, 1, "its companions are to be ended")
	assert.Equal(t, incident.StateClosed, e.Incidents("")[0].State)
}

func TestTimeToLive(t *testing.T) {
	for _, ttl := range []time.Duration{time.Hour, 3 * time.Hour} {
		for steps, want := range map[int]time.Duration{1: 2 * ttl, 2: ttl} { // one point tells no cadence
			w := newWorld(newEngine(func(c *Config) { c.SeriesTTL = ttl }), "cart")
			w.run(steps)
			last := w.engine.judge.Now()
			w.engine.Tick(last.Add(want))
			assert.Equal(t, statistics, w.engine.Status().Series)
			w.engine.Tick(last.Add(want + time.Second))
			assert.Zero(t, w.engine.Status().Series)
		}
	}
}

// TestSeriesOnceADay keeps a series between points that come once a day, give or
// take minutes, and on workdays only. It is forgotten four cadences after its end.
func TestSeriesOnceADay(t *testing.T) {
	const day = 24 * 3600
	random := rand.New(rand.NewPCG(1, 2))
	e, judged, last := newEngine(), 0, 0.0
	for d := range 200 {
		if weekday := d % 7; weekday > 4 {
			continue
		}
		last = float64(d*day + random.IntN(1200))
		for now := e.judge.Now(); now.Before(at(last)); now = now.Add(time.Hour) {
			e.Tick(now)
		}
		e.Tick(at(last))
		judged += len(e.ObserveMetrics(from("backup", gauge("size", last, 50+random.NormFloat64())), shownAll))
	}
	assert.Equal(t, 144-100, judged, "144 points, of which 100 warm the series up")
	e.Tick(at(last + 3*day))
	assert.Equal(t, 1, e.Status().Series)
	e.Tick(at(last + 8*day))
	assert.Zero(t, e.Status().Series)
}

// A series that stops while it is anomalous: its anomaly closes at its last
// point, and the findings receiver is to end its companions.
func TestSilence(t *testing.T) {
	w := newWorld(newEngine(), "cart", "payment")
	w.run(history)
	w.run(2, "cart")
	last := (w.step - 1) * cadence
	w.services = []string{"?", "payment"} // cart stops; payment goes on in its place
	w.engine.DeliveredEvents(w.engine.PendingEvents())

	w.engine.Tick(at(float64(last)).Add(silentAfter))
	assert.Equal(t, 1, w.engine.Status().OpenAnomalies, "not silent for long enough")
	assert.Empty(t, w.engine.PendingGauges().Companions)
	w.engine.Tick(at(float64(last)).Add(silentAfter + time.Second))
	assert.Zero(t, w.engine.Status().OpenAnomalies)

	stale := w.engine.PendingGauges().Companions
	require.Len(t, stale, 1)
	assert.Equal(t, []string{"load", "value", "By"}, []string{stale[0].Metric, stale[0].Statistic, stale[0].Unit})
	assert.Equal(t, map[string]any{"service.name": "cart"}, stale[0].Resource.AsRaw())
	assert.Equal(t, "test", stale[0].Scope.Name())
	assert.Equal(t, map[string]any{"n": int64(0)}, stale[0].Attributes.AsRaw())
	assert.Equal(t, stamp(float64(last)), stale[0].Time)

	events := w.engine.PendingEvents()
	require.Len(t, events.Anomalies, 1)
	assert.Equal(t, incident.StateClosed, events.Anomalies[0].State)
	assert.Equal(t, at(float64(last)), events.Anomalies[0].Closed)
	require.Len(t, events.Incidents, 1)
	assert.Equal(t, incident.StateClosed, events.Incidents[0].State)

	w.engine.Tick(at(float64(last)).Add(time.Hour))
	assert.Len(t, w.engine.PendingGauges().Companions, 1, "once is enough")
	w.engine.DeliveredGauges(w.engine.PendingGauges())
	assert.Empty(t, w.engine.PendingGauges().Companions)
}

// A slow series is not silent after five minutes: it takes ten of its cadences.
func TestSlowSeriesIsNotSilent(t *testing.T) {
	const minutes = 10
	e := newEngine()
	second := 0.0
	for i := range history {
		second = float64(i * minutes * 60)
		e.Tick(at(second))
		e.ObserveMetrics(from("s", gauge("m", second, 100+float64(i%7))), shownWhereAnomalous)
	}
	second += minutes * 60
	e.Tick(at(second))
	require.Len(t, e.ObserveMetrics(from("s", gauge("m", second, 1e6)), shownWhereAnomalous), 1)
	e.Tick(at(second).Add(10 * minutes * time.Minute))
	assert.Equal(t, 1, e.Status().OpenAnomalies)
	e.Tick(at(second).Add(10*minutes*time.Minute + time.Second))
	assert.Zero(t, e.Status().OpenAnomalies)
}

// Where nothing is shown nothing is ended.
func TestSilenceOfWhatWasNotShown(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.out = shownNone
	w.run(history)
	w.run(2, "cart")
	require.Equal(t, 1, w.engine.Status().OpenAnomalies)
	w.engine.Tick(start.Add(12 * time.Hour))
	assert.Zero(t, w.engine.Status().OpenAnomalies)
	assert.Empty(t, w.engine.PendingGauges().Companions)
}

func TestShownSeriesAreBounded(t *testing.T) {
	w := newWorld(newEngine(), "a", "b", "c", "d")
	w.out.MaxSeries = 2
	w.run(history)
	list := w.run(1, "a", "b", "c", "d")[0]
	require.Len(t, list, 2)
	assert.Equal(t, []int{0, 1}, []int{list[0].Resource, list[1].Resource})
	assert.Equal(t, 4, w.engine.Status().OpenAnomalies, "it is a bound of what is shown, not of what is found")

	// When those two end there is room for the others, which still are anomalous.
	for _, list := range append(w.calm(t, []string{"a", "b"}, "c", "d"), w.run(7, "c", "d")...) {
		require.Len(t, list, 2)
	}
	after := w.run(2, "c", "d")
	require.Len(t, after[0], 4, "two ends, two beginnings")
	for i, v := range after[0] {
		assert.Equal(t, []any{i, i < 2}, []any{v.Resource, v.End})
	}
	require.Len(t, after[1], 2)
	assert.Equal(t, []int{2, 3}, []int{after[1][0].Resource, after[1][1].Resource})
}

// An anomaly of the time in which the clock was ahead ends there: it never closes before it opened.
func TestAnomalyEndsWhereTheClockTurnsBack(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.run(history)
	w.run(2, "cart")
	require.Equal(t, 1, w.engine.Status().OpenAnomalies)
	open := w.engine.Incidents("")[0]
	w.step = -500 // before all that it knows
	w.run(lateBeforeRestart + 20)
	closed := w.engine.Incidents("")[0]
	assert.Equal(t, open.ID, closed.ID)
	assert.Equal(t, incident.StateClosed, closed.State)
	for _, a := range closed.Anomalies {
		assert.False(t, a.Closed.Before(a.Opened), "%v before %v", a.Closed, a.Opened)
	}
	assert.Zero(t, w.engine.Status().OpenAnomalies)
}

// A few late points do not make a series start over.
func TestFewLatePointsChangeNothing(t *testing.T) {
	e := newEngine()
	for i := range 100 {
		e.Tick(at(float64(1000 + 10*i)))
		e.ObserveMetrics(from("s", gauge("m", float64(1000+10*i), 1)), shownNone)
		for late := range lateBeforeRestart - 1 {
			e.ObserveMetrics(from("s", gauge("m", float64(late)+0.001*float64(i), 1)), shownNone)
		}
	}
	assert.Equal(t, uint64(100), e.Series(SeriesQuery{})[0].Points)
}

type provider struct {
	component.Component
	engine *Engine
}

func (p provider) Engine() *Engine { return p.engine }

type host struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func TestFind(t *testing.T) {
	nop := componenttest.NewNopHost()
	a, b := newEngine(), newEngine()
	id := func(name string) component.ID { return component.MustNewIDWithName("x", name) }

	got, err := Find(host{nop, map[component.ID]component.Component{id("other"): nil, id("a"): provider{engine: a}}}, zap.NewNop())
	require.NoError(t, err)
	assert.Same(t, a, got)

	got, err = Find(host{nop, map[component.ID]component.Component{id("a"): provider{engine: a}, id("again"): provider{engine: a}}}, zap.NewNop())
	require.NoError(t, err)
	assert.Same(t, a, got)

	_, err = Find(host{nop, map[component.ID]component.Component{id("a"): provider{engine: a}, id("b"): provider{engine: b}}}, zap.NewNop())
	require.ErrorContains(t, err, "service::extensions names several anomaly engines")
}

func TestWithoutAnExtensionAllShareOneEngineAndSaySo(t *testing.T) {
	sharedDefault.engine = nil
	t.Cleanup(func() { sharedDefault.engine = nil })
	core, logs := observer.New(zapcore.WarnLevel)
	one, err := Find(componenttest.NewNopHost(), zap.New(core))
	require.NoError(t, err)
	two, err := Find(host{componenttest.NewNopHost(), map[component.ID]component.Component{}}, zap.New(core))
	require.NoError(t, err)
	assert.Same(t, one, two)
	require.Equal(t, 1, logs.Len(), "it is said once")
	assert.Contains(t, logs.All()[0].Message, "anomaly_engine")

	// It has no owner with a ticker: what it observes ticks it.
	assert.True(t, one.judge.Now().IsZero())
	one.ObserveMetrics(from("s", gauge("m", 0, 1)), shownNone)
	assert.WithinDuration(t, time.Now(), one.judge.Now(), time.Minute)
}

// A lasting change is one anomaly, which closes once the new level has lasted for accept_after.
func TestAcceptAfter(t *testing.T) {
	for _, after := range []time.Duration{time.Hour, 3 * time.Hour} {
		e := newEngine(func(c *Config) { c.AcceptAfter, c.FalseAlarms.MaxAlpha = after, 1e-3 })
		random := rand.New(rand.NewPCG(1, 1))
		const past = 2000
		var closed time.Duration
		for i := range past + 6*360 {
			v := 100 + random.NormFloat64()
			if i >= past {
				v += 60
			}
			e.Tick(at(float64(i * cadence)))
			e.ObserveMetrics(from("cart", gauge("load", float64(i*cadence), v)), shownNone)
			if open := e.Status().OpenAnomalies > 0; i >= past+5 && !open && closed == 0 {
				closed = time.Duration(i-past) * cadence * time.Second
			}
		}
		assert.InDelta(t, after.Minutes(), closed.Minutes(), 5, "the anomaly closes")
		assert.Equal(t, uint64(1), e.Status().AnomaliesOpened, "one change, one anomaly")
	}
}
