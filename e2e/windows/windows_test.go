// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	defaultOutage = time.Minute
	// forcedRetries is the number of requests to each backend that are sent twice, before and after the outage.
	forcedRetries = 3
	// answerWithin bounds a play of the demo up to its answer; settleWithin bounds the delivery after an outage.
	answerWithin, settleWithin = 6 * time.Minute, 3 * time.Minute
	// staysClosed is the time after which no anomaly of the fault reopens an incident.
	staysClosed = 30 * time.Second
)

// needPeers skips a test where the real servers may not be installed.
func needPeers(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs real servers: make e2e-windows installs and runs them")
	}
}

// TestWindows plays the demo into the default configuration, with the findings going to four
// real servers. All of them are stopped for a minute while the fault lasts. Afterwards the
// same shop is played into the same state without a fault, so that the incident closes.
func TestWindows(t *testing.T) {
	needPeers(t)
	outage := defaultOutage
	if text := os.Getenv("AUSPEX_E2E_OUTAGE"); text != "" {
		var err error
		outage, err = time.ParseDuration(text)
		require.NoError(t, err, "OUTAGE")
	}
	s := newStage(t)
	tb := &table{t: t}
	defer tb.print()

	s.force()
	stop := s.play("")
	broken := s.awaitAnswer()
	id := s.incidentOf(broken)
	t.Logf("%s is broken, incident %s", broken, id)
	peertest.Eventually(t, settleWithin, "the alert", func() error { return s.firing(id) })
	before := notifications(s.alertmanager, id)

	t.Logf("all backends stop for %v", outage)
	for _, b := range s.backends {
		tb.row(b.name, "running before the outage", b.running(), "true", b.running())
		b.stop()
	}
	time.Sleep(outage)
	for _, b := range s.backends {
		b.start()
	}
	s.force()
	peertest.Eventually(t, settleWithin, "the alert after the outage", func() error { return s.firing(id) })
	tb.row("alertmanager", "notifications of the open incident before the outage", before, "map[firing:1]", maps.Equal(before, map[string]int{"firing": 1}))
	after := notifications(s.alertmanager, id)
	tb.row("alertmanager", "notifications of the open incident after it", after, "map[firing:1]", maps.Equal(after, before))
	s.poison()
	stop()

	stop = s.play("none")
	var closed time.Time
	peertest.Eventually(t, answerWithin, "the incident to stay closed", func() error {
		err := s.closed(id)
		switch {
		case err != nil: // a late anomaly of the service has reopened it
			closed = time.Time{}
		case closed.IsZero():
			closed = time.Now()
		}
		if err == nil && time.Since(closed) < staysClosed {
			err = fmt.Errorf("closed since %v", closed)
		}
		return err
	})
	peertest.Eventually(t, settleWithin, "the alert to resolve", func() error {
		if n := notifications(s.alertmanager, id); n["resolved"] == 0 || n["resolved"] < n["firing"] {
			return fmt.Errorf("notifications: %v", n)
		}
		return nil
	})
	s.settle()
	stop()
	s.report(tb, id, broken)
}

// closed returns nil once the engine has closed an incident.
func (s *stage) closed(id string) error {
	_ = s.firing(id) // for the texts of the alert
	if i, ok := s.seen[id]; !ok || i.State != incident.StateClosed {
		return fmt.Errorf("incident %s is %q", id, i.State)
	}
	return nil
}

// openings returns how often an incident opened: once, and for each anomaly that joined it when it was closed.
func (s *stage) openings(id string) int {
	n := 1
	for _, e := range s.seen[id].History {
		if e.What == "reopened" {
			n++
		}
	}
	return n
}

// firing returns nil if Alertmanager has exactly one alert of an incident.
func (s *stage) firing(id string) error {
	s.look()
	alerts, err := s.alertmanager.Alerts(s.t.Context())
	if err != nil {
		return err
	}
	n := 0
	for _, a := range alerts {
		if a.Labels["incident_id"] == id {
			n++
			s.annotations[a.Annotations["description"]] = true
		}
	}
	if n != 1 {
		return fmt.Errorf("%d alerts of incident %s fire", n, id)
	}
	return nil
}

// report adds what each backend has at the end.
func (s *stage) report(tb *table, id, broken string) {
	s.t.Helper()
	for _, b := range s.backends {
		tb.row(b.name, "running at the end", b.running(), "true", b.running())
		tb.row(b.name, "requests sent twice", b.relay.forced.Load(), strconv.Itoa(2*forcedRetries), b.relay.forced.Load() == 2*forcedRetries)
	}
	ids := slices.Collect(maps.Keys(s.seen))
	for i, es := range s.elastic {
		s.reportElastic(tb, s.backends[i].name, es, ids, id)
	}
	s.reportPrometheus(tb, broken)
	n, openings := notifications(s.alertmanager, id), s.openings(id)
	tb.row("alertmanager", "notifications of the incident", n, fmt.Sprintf("as many resolved as firing, at most %d", openings),
		n["firing"] >= 1 && n["firing"] <= openings && n["resolved"] == n["firing"])
	tb.row("alertmanager", "texts of the open alert", len(s.annotations), "more than 1, because it is updated", len(s.annotations) > 1)
	alerts, err := s.alertmanager.Alerts(s.t.Context())
	require.NoError(s.t, err)
	open := 0
	for _, i := range s.seen {
		if i.State == incident.StateOpen {
			open++
		}
	}
	unique := map[string]bool{}
	for _, a := range alerts {
		unique[a.Labels["incident_id"]] = true
	}
	tb.row("alertmanager", "firing alerts", len(alerts), fmt.Sprintf("%d, one for each open incident", open), len(alerts) == open)
	tb.row("alertmanager", "duplicates", len(alerts)-len(unique), "0", len(alerts) == len(unique))
	s.reportRejected(tb)
}

func (s *stage) reportElastic(tb *table, name string, es *peertest.Elasticsearch, ids []string, id string) {
	s.t.Helper()
	hits, err := es.Search(s.t.Context(), "auspex-incidents", "")
	require.NoError(s.t, err)
	docs := map[string]int{}
	state := ""
	for _, h := range hits {
		attributes, _ := h.Source["attributes"].(map[string]any)
		docs[fmt.Sprint(attributes["incident.id"])]++
		if h.ID == id {
			state = fmt.Sprint(attributes["incident.state"])
		}
	}
	missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return docs[id] > 0 })
	tb.row(name, "unique incidents", len(docs), fmt.Sprintf("all %d of the engine", len(ids)), len(missing) == 0)
	tb.row(name, "duplicates of incidents", len(hits)-len(docs), "0", len(hits) == len(docs))
	tb.row(name, "state of the incident", state, "closed", state == "closed")

	events := map[string]int{}
	total := 0
	require.NoError(s.t, es.Scan(s.t.Context(), "logs-*", `"query":{"term":{"event_name":"auspex.anomaly"}}`, func(h peertest.Hit) {
		attributes, _ := h.Source["attributes"].(map[string]any)
		total++
		events[fmt.Sprint(attributes["anomaly.id"], h.Source["@timestamp"], attributes["anomaly.state"])]++
	}))
	tb.row(name, "updates of anomalies", len(events), "above 0", len(events) > 0)
	tb.row(name, "duplicates of updates", total-len(events), "0", total == len(events))
}

func (s *stage) reportPrometheus(tb *table, broken string) {
	s.t.Helper()
	value := func(expr string) float64 {
		a, err := s.prometheus.Query(s.t.Context(), expr, time.Now())
		require.NoError(s.t, err, expr)
		if len(a.Series) == 0 {
			return -1
		}
		return a.Series[0].Samples[0].Value
	}
	worst := value(fmt.Sprintf(`max(max_over_time(incident_open{service_name=%q}[2h]))`, broken))
	tb.row("prometheus", "open incidents of "+broken+", maximum", worst, "at least 1", worst >= 1)
	now := value(fmt.Sprintf(`max(last_over_time(incident_open{service_name=%q}[15m]))`, broken))
	tb.row("prometheus", "open incidents of "+broken+", at the end", now, "0", now == 0)
	fired := value(fmt.Sprintf(`count(max_over_time(ALERTS{alertname="AuspexServiceIncident",alertstate="firing",service_name=%q}[2h]))`, broken))
	tb.row("prometheus", "alert AuspexServiceIncident of "+broken, fired, "has fired once", fired == 1)
	score := value(fmt.Sprintf(`max(max_over_time(service:anomaly_max_score:max5m{service_name=%q}[2h]))`, broken))
	tb.row("prometheus", "recorded score of "+broken, score, "above 1", score > 1)

	a, err := s.prometheus.Query(s.t.Context(), `{__name__=~"anomaly_open|incident_open"}[2h]`, time.Now())
	require.NoError(s.t, err)
	samples, times := 0, 0
	for _, series := range a.Series {
		unique := map[time.Time]bool{}
		for _, sample := range series.Samples {
			unique[sample.Time] = true
		}
		samples, times = samples+len(series.Samples), times+len(unique)
	}
	tb.row("prometheus", "unique samples of gauges", times, "above 0", times > 0)
	tb.row("prometheus", "duplicates of samples", samples-times, "0", samples == times)
}

// reportRejected lists the dead letters. The two records that a backend must reject are there, and no others.
func (s *stage) reportRejected(tb *table) {
	s.t.Helper()
	found := map[string]int{}
	damaged, err := deadletter.Read(filepath.Join(s.state, "dead_letter"), func(l deadletter.Letter) error {
		found[l.Component] += l.Items
		if !strings.Contains(string(l.Payload)+l.Reason, poisonName) {
			s.t.Logf("rejected by %s: %s\n%.300s", l.Component, l.Reason, l.Payload)
		}
		return nil
	})
	require.NoError(s.t, err)
	require.Zero(s.t, damaged)
	for _, b := range s.backends {
		tb.row(b.name, "rejected, in the dead letter "+b.component, found[b.component], strconv.Itoa(b.poisoned), found[b.component] == b.poisoned)
	}
}

// incidentOf returns the incident of the broken service that was updated last.
func (s *stage) incidentOf(service string) string {
	s.look()
	var newest incident.Incident
	for _, i := range s.seen {
		suspected := slices.ContainsFunc(i.Suspects, func(c incident.Suspect) bool { return c.Service == service })
		if suspected && i.State == incident.StateOpen && i.Updated.After(newest.Updated) {
			newest = i
		}
	}
	require.NotEmpty(s.t, newest.ID, "no incident names %s", service)
	return newest.ID
}

// awaitAnswer waits for the answer of the demo, and returns the service that it broke.
func (s *stage) awaitAnswer() (broken string) {
	peertest.Eventually(s.t, answerWithin, "the answer of the demo", func() error {
		for line := range strings.SplitSeq(s.demo.Log(), "\n") {
			var answer struct{ Broken string }
			if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &answer) == nil {
				broken = answer.Broken
				return nil
			}
		}
		if !s.demo.Running() {
			s.t.Fatalf("the demo ended without an answer:\n%s", s.demo.Log())
		}
		return context.DeadlineExceeded
	})
	require.NotEmpty(s.t, broken, "nothing broke:\n%s", s.demo.Log())
	return broken
}
