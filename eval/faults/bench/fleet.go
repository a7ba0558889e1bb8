// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/memstorage"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// tickEvery is the interval in event time at which the engine's clock advances.
const tickEvery = 10 * time.Second

// watched is a series with the results of the engine.
type watched struct {
	service, metric string
	at              []int64
	present         []bool
	value           []float64
	trials          []trial
	mates           []*watched // of the same service

	scores []float32 // opening scores by slot, without a fault
	found  [][]rise  // by trial
}

// slotFrom returns the first slot at or after a time.
func (w *watched) slotFrom(t int64) int {
	i, _ := slices.BinarySearch(w.at, t)
	return i
}

// absent is the score of an absence. The engine tests an absence against α once and does not return a score, so it is
// an opening at every threshold.
const absent = math.MaxFloat32

// run is one engine with the series that it observes.
type run struct {
	engine *engine.Engine
	disk   memstorage.Client
	last   int64 // time of the last tick
	// silent holds the series, by service and metric, for which the engine has reported an absence since their last
	// slot.
	silent map[[2]string]bool
	told   map[string]time.Time // anomalies by id: the reported silence
}

// newRun returns an engine that continues from a snapshot, if there is one. Its false-alarm budget is that of the
// bench.
func newRun(d memstorage.Client, now int64, series int) (*run, error) {
	cfg := engine.DefaultConfig()
	cfg.FalseAlarms.Count, cfg.FalseAlarms.Per = allowedRate*float64(series), time.Duration(week)
	r := &run{engine: engine.New(cfg, zap.NewNop()), disk: d, last: now, silent: map[[2]string]bool{}, told: map[string]time.Time{}}
	t := time.Unix(0, now).UTC()
	if err := r.engine.Load(context.Background(), d, t); err != nil {
		return nil, err
	}
	r.engine.Tick(t)
	return r, nil
}

// snapshot returns the state from which another run can start.
func (r *run) snapshot() (memstorage.Client, error) {
	if err := r.engine.Snapshot(context.Background(), time.Unix(0, r.last).UTC()); err != nil {
		return nil, err
	}
	return maps.Clone(r.disk), nil
}

// point is a batch with one data point of a series, which is reused.
type point struct {
	w     *watched
	batch pmetric.Metrics
	data  pmetric.NumberDataPoint
}

func newPoint(w *watched) *point {
	p := &point{w: w, batch: pmetric.NewMetrics()}
	rm := p.batch.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr(vocabulary.ServiceName, w.service)
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(w.metric)
	p.data = m.SetEmptyGauge().DataPoints().AppendEmpty()
	return p
}

// observe passes a slot of a series to the engine and returns its opening score. A slot without a point has a score
// if the engine has found the series absent.
func (r *run) observe(p *point, t int64, v float64, present bool) (score float32) {
	if t-r.last >= int64(tickEvery) {
		r.last = t
		r.engine.Tick(time.Unix(0, t).UTC())
		r.listen()
	}
	if present {
		p.data.SetTimestamp(pcommon.Timestamp(t))
		p.data.SetDoubleValue(v)
		for _, said := range r.engine.ObserveMetrics(p.batch, engine.Output{Select: engine.SelectAll}) {
			score = max(score, float32(said.Opening))
		}
	}
	key := [2]string{p.w.service, p.w.metric}
	if r.silent[key] {
		delete(r.silent, key)
		return absent
	}
	return score
}

// listen reads the absences from the engine's findings.
func (r *run) listen() {
	ev := r.engine.PendingEvents()
	for _, a := range ev.Anomalies {
		if !a.SilentSince.IsZero() && r.told[a.ID] != a.SilentSince {
			r.told[a.ID] = a.SilentSince
			r.silent[[2]string{a.Service, a.Metric}] = true
		}
	}
	if len(ev.Anomalies)+len(ev.Incidents) > 0 {
		r.engine.DeliveredEvents(ev)
	}
}

// cursor is the next slot of a series in the merge by time.
type cursor struct {
	point *point
	slot  int
	order int
}

func (c *cursor) time() int64 { return c.point.w.at[c.slot] }

// merge is a heap of cursors by time, then by order.
type merge []*cursor

func (m merge) Len() int { return len(m) }
func (m merge) Less(i, j int) bool {
	if a, b := m[i].time(), m[j].time(); a != b {
		return a < b
	}
	return m[i].order < m[j].order
}
func (m merge) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)   { *m = append(*m, x.(*cursor)) }
func (m *merge) Pop() any {
	old := *m
	x := old[len(old)-1]
	*m = old[:len(old)-1]
	return x
}

// newMerge returns a merge that starts at the first slots at or after a time.
func newMerge(all []*watched, from int64) *merge {
	m := &merge{}
	for i, w := range all {
		if slot := w.slotFrom(from); slot < len(w.at) {
			*m = append(*m, &cursor{newPoint(w), slot, i})
		}
	}
	heap.Init(m)
	return m
}

// until calls visit for every slot before a time, in order of time.
func (m *merge) until(end int64, visit func(*cursor) error) error {
	for m.Len() > 0 && (*m)[0].time() < end {
		c := (*m)[0]
		if err := visit(c); err != nil {
			return err
		}
		if c.slot++; c.slot < len(c.point.w.at) {
			heap.Fix(m, 0)
		} else {
			heap.Pop(m)
		}
	}
	return nil
}

// fork holds the trials of one series that start at one slot, and the engine's state before it.
type fork struct {
	w      *watched
	trials []trial
	found  [][]rise  // of the trials, to be filled
	before []float32 // scores of the cooldown before the start
	disk   memstorage.Client
	now    int64
	series int // of the fleet
}

// watchAll runs one engine over all series, merged by time. At the start of each trial a second engine, restored from
// a snapshot of the first, observes the changed points. For a silence it also observes the other series of the
// service. In every other trial it observes only the changed series.
func watchAll(all []*watched, progress io.Writer) error {
	forks := make(chan *fork, 2)
	errs := make([]error, runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() {
			for f := range forks {
				errs[i] = errors.Join(errs[i], f.run())
			}
		})
	}
	err := watchQuiet(all, forks, progress)
	close(forks)
	wait.Wait()
	return errors.Join(err, errors.Join(errs...))
}

// watchQuiet runs the engine over all series without a fault, and sends a fork at the start of each trial.
func watchQuiet(all []*watched, forks chan<- *fork, progress io.Writer) error {
	start := slices.MinFunc(all, func(a, b *watched) int { return cmp.Compare(a.at[0], b.at[0]) }).at[0]
	r, err := newRun(memstorage.Client{}, start, len(all))
	if err != nil {
		return err
	}
	tried := map[*watched]int{}
	for _, w := range all {
		w.found = make([][]rise, len(w.trials))
	}
	days := int64(0)
	defer fmt.Fprintln(progress)
	return newMerge(all, start).until(math.MaxInt64, func(c *cursor) error {
		w, t := c.point.w, c.time()
		if d := (t - start) / day; d > days {
			days = d
			fmt.Fprintf(progress, "\rfleet: day %d  ", days)
		}
		from := tried[w]
		to := from
		for to < len(w.trials) && w.trials[to].start == c.slot {
			to++
		}
		if to > from {
			tried[w] = to
			f := &fork{w: w, trials: w.trials[from:to], found: w.found[from:to], before: slices.Clone(w.scores[c.slot-cooldown : c.slot]), now: r.last, series: len(all)}
			if f.disk, err = r.snapshot(); err != nil {
				return err
			}
			forks <- f
		}
		w.scores = append(w.scores, r.observe(c.point, t, w.value[c.slot], w.present[c.slot]))
		return nil
	})
}

// run runs each trial from the same state.
func (f *fork) run() error {
	for i := range f.trials {
		t := &f.trials[i]
		r, err := newRun(maps.Clone(f.disk), f.now, f.series)
		if err != nil {
			return err
		}
		scores, p, around := slices.Clone(f.before), newPoint(f.w), &merge{}
		if t.silent {
			around = newMerge(f.w.mates, f.w.at[t.start])
		}
		for j := range t.value {
			now := f.w.at[t.start+j]
			err := around.until(now, func(c *cursor) error {
				r.observe(c.point, c.time(), c.point.w.value[c.slot], c.point.w.present[c.slot])
				return nil
			})
			if err != nil {
				return err
			}
			scores = append(scores, r.observe(p, now, t.value[j], t.present[j]))
		}
		f.found[i] = rises(scores, cooldown)
	}
	return nil
}
