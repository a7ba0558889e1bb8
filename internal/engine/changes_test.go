// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// changed returns the changes of a service that the engine knows before a second, as text.
func changed(e *Engine, service string, seconds float64) (list []string) {
	for _, c := range e.judge.Tracker().Changes.Before(service, at(seconds)) {
		list = append(list, string(c.Kind)+" "+c.What+c.Time.Format(" 15:04:05"))
	}
	return list
}

// resource puts pairs of keys and values into resource attributes, service.name first.
func fillResource(m pcommon.Map, service string, pairs ...string) {
	m.PutStr(vocabulary.ServiceName, service)
	for i := 0; i < len(pairs); i += 2 {
		m.PutStr(pairs[i], pairs[i+1])
	}
}

// Each signal tells the same of a resource.
func TestChangesOfResources(t *testing.T) {
	for name, observe := range map[string]func(e *Engine, seconds float64, pairs ...string){
		"metrics": func(e *Engine, seconds float64, pairs ...string) {
			md := from("cart", gauge("m", seconds, 1))
			fillResource(md.ResourceMetrics().At(0).Resource().Attributes(), "cart", pairs...)
			e.ObserveMetrics(md, shownNone)
		},
		"logs": func(e *Engine, seconds float64, pairs ...string) {
			ld := plog.NewLogs()
			rl := ld.ResourceLogs().AppendEmpty()
			fillResource(rl.Resource().Attributes(), "cart", pairs...)
			lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
			lr.SetTimestamp(stamp(seconds))
			lr.Body().SetStr("served")
			e.ObserveLogs(ld, false)
		},
		"traces": func(e *Engine, seconds float64, pairs ...string) {
			td := ptrace.NewTraces()
			addCall(td, call{at: seconds, seconds: .1, service: "cart", name: "GET /"}, uint64(seconds))
			fillResource(td.ResourceSpans().At(0).Resource().Attributes(), "cart", pairs...)
			e.ObserveTraces(td)
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine()
			for s := 10; s <= 60; s += 10 {
				observe(e, float64(s), "service.version", "1", "container.image.name", "shop", "container.image.tag", "a", "k8s.pod.name", "p1")
			}
			assert.Empty(t, changed(e, "cart", 600))
			observe(e, 70, "service.version", "2", "container.image.name", "shop", "container.image.tag", "b", "k8s.pod.name", "p2")
			observe(e, 80, "service.version", "2", "container.image.name", "shop", "container.image.tag", "b", "k8s.pod.name", "p2")
			assert.ElementsMatch(t, []string{"version 2 12:01:10", "image shop:b 12:01:10", "restart p2 12:01:10"}, changed(e, "cart", 600))
			assert.Empty(t, changed(e, "cart", 60), "not before it happened")
		})
	}
}

func TestImageTagsAreAList(t *testing.T) {
	e := newEngine()
	for i, tag := range []string{"a", "b"} {
		m := pcommon.NewMap()
		m.PutStr("container.image.name", "shop")
		m.PutEmptySlice("container.image.tags").AppendEmpty().SetStr(tag)
		m.PutInt("process.pid", int64(i))
		e.causes.Resource("cart", m, stampNanos(float64(i)))
	}
	assert.ElementsMatch(t, []string{"image shop:b 12:00:01", "restart process 1 12:00:01"}, changed(e, "cart", 2))
}

func stampNanos(seconds float64) int64 { return at(seconds).UnixNano() }

// A counter says when its process began.
func TestRestartByStartTime(t *testing.T) {
	count := func(e *Engine, seconds, began float64, delta bool) {
		temporality := pmetric.AggregationTemporalityCumulative
		if delta {
			temporality = pmetric.AggregationTemporalityDelta
		}
		md := from("cart", sum("requests", seconds, seconds-began, true, temporality))
		md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Sum().DataPoints().At(0).SetStartTimestamp(stamp(began))
		e.ObserveMetrics(md, shownNone)
	}
	e := newEngine()
	count(e, 10, 1, false)
	count(e, 20, 1, false)
	count(e, 30, 20, false) // a start that follows every point tells nothing
	assert.Empty(t, changed(e, "cart", 600))
	count(e, 40, 33, false)
	assert.Equal(t, []string{"restart  12:00:33"}, changed(e, "cart", 600))

	e = newEngine()
	count(e, 10, 1, true)
	count(e, 20, 11, true)
	assert.Empty(t, changed(e, "cart", 600), "a delta counter starts over with each point")
}

func TestChangesToldInLogs(t *testing.T) {
	e := newEngine()
	say := func(seconds float64, event, object, reason string) {
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		fillResource(rl.Resource().Attributes(), "cart")
		lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetTimestamp(stamp(seconds))
		lr.SetEventName(event)
		lr.Body().SetStr("x")
		if object != "" {
			fillResource(rl.Resource().Attributes(), "k8s-events", "k8s.object.name", object)
			lr.Attributes().PutStr("k8s.event.reason", reason)
		}
		e.ObserveLogs(ld, false)
	}
	md := from("mail", gauge("m", 5, 1))
	fillResource(md.ResourceMetrics().At(0).Resource().Attributes(), "mail", "k8s.pod.name", "mail-1", "k8s.deployment.name", "mails")
	e.ObserveMetrics(md, shownNone)
	say(10, "config.reloaded", "", "")
	say(20, "deployment.finished", "", "")
	say(30, "payment.done", "", "")
	say(40, "", "mail-1", "OOMKilling")
	say(50, "", "mails", "ScalingReplicaSet")
	say(60, "", "mail", "Unhealthy")
	say(70, "", "unknown", "Unhealthy")
	assert.ElementsMatch(t, []string{"config config.reloaded 12:00:10", "deployment deployment.finished 12:00:20"}, changed(e, "cart", 600))
	assert.ElementsMatch(t, []string{"kubernetes OOMKilling mail-1 12:00:40", "kubernetes ScalingReplicaSet mails 12:00:50", "kubernetes Unhealthy mail 12:01:00"},
		changed(e, "mail", 600))
	assert.Empty(t, changed(e, "unknown", 600))
}

func setNamespace(e *Engine, service, namespace string) {
	m := pcommon.NewMap()
	m.PutStr(vocabulary.ServiceNamespace, namespace)
	e.causes.Resource(service, m, e.judge.Now().UnixNano())
}

// Two services break at once. One incident or two: that depends on what is known of them.
func TestIncidentsFollowTheGraph(t *testing.T) {
	for name, c := range map[string]struct {
		know func(e *Engine)
		want int
	}{
		"nothing is known": {func(*Engine) {}, 2},
		"one calls the other": {func(e *Engine) {
			e.causes.Graph().Call(topology.ID{Kind: topology.Service, Name: "cart"}, topology.ID{Kind: topology.Service, Name: "mail"}, 1, 0, stampNanos(0))
		}, 1},
		"they are of one namespace":  {func(e *Engine) { setNamespace(e, "cart", "shop"); setNamespace(e, "mail", "shop") }, 1},
		"they are of two namespaces": {func(e *Engine) { setNamespace(e, "cart", "shop"); setNamespace(e, "mail", "post") }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(newEngine(), "cart", "mail")
			w.run(history)
			c.know(w.engine)
			w.engine.Tick(at(float64(w.step*cadence) + 20))
			w.run(2, "cart", "mail")
			list := w.engine.Incidents(incident.StateOpen)
			require.Len(t, list, c.want)
			assert.Equal(t, c.want, w.engine.Status().OpenIncidents)
			gauges := w.engine.PendingGauges().Services
			require.Len(t, gauges, 2)
			for _, g := range gauges {
				assert.Equal(t, int64(1), g.Incidents, g.Service)
				assert.Equal(t, uint64(1), g.Count, g.Service)
				assert.Equal(t, cadence*time.Second, g.Lasting, g.Service)
			}
		})
	}
}

// The whole way: a new version comes, the series moves, the incident says so. A restart in between changes nothing.
func TestIncidentSaysWhatWasChanged(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.run(history)
	e, store := w.engine, newMemory()
	c := &e.judge.Tracker().Changes
	c.See("cart", incident.ChangeVersion, "1", at(0))
	c.See("cart", incident.ChangeVersion, "2", at(float64(w.step*cadence)-60))
	e.disk.client = store
	require.NoError(t, e.Snapshot(t.Context(), start))
	w.engine, _ = restored(t, store, float64(w.step*cadence))
	w.run(2, "cart")
	list := w.engine.Incidents(incident.StateOpen)
	require.Len(t, list, 1)
	assert.Contains(t, vocabulary.Account(&list[0], time.UTC), "Likely cause: cart itself (after version 2 appeared at 13:05:40).")
}
