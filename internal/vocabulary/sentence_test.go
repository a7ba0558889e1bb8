// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package vocabulary

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/detect/silence"
	"github.com/auspex-otel/auspex/internal/incident"
)

var tenFortyTwo = time.Date(2026, 5, 4, 10, 42, 10, 0, time.UTC)

// odd returns an open anomaly of a series with its observed value and interval.
func odd(service, metric, statistic, unit string, observed, lower, upper float64, attributes ...string) incident.Anomaly {
	a := incident.Anomaly{
		ID: service + metric + statistic, State: incident.StateOpen, Kind: "high", Opened: tenFortyTwo, Observed: observed, Lower: lower, Upper: upper, Expected: (lower + upper) / 2,
		Subject: incident.Subject{Series: metric, Service: service, Metric: metric, Statistic: statistic, Unit: unit, Attributes: map[string]string{}},
	}
	for i := 0; i < len(attributes); i += 2 {
		a.Attributes[attributes[i]] = attributes[i+1]
	}
	return a
}

func TestSentences(t *testing.T) {
	group := odd("cart", MetricOutsideInterval, StatValue, "", 0.23, 0, 0.05)
	group.Group = true
	silent := odd("cart", "queue.size", StatValue, "", 5, 3, 7)
	silent.Kind, silent.SilentSince = silence.Kind, tenFortyTwo.Add(-time.Minute)
	silentClosed := silent
	silentClosed.State, silentClosed.Closed = incident.StateClosed, tenFortyTwo.Add(time.Minute)
	closed := odd("cart", "queue.size", StatValue, "{message}", 120, 3, 7)
	closed.State, closed.Closed = incident.StateClosed, tenFortyTwo.Add(13*time.Minute)
	for want, a := range map[string]incident.Anomaly{
		"cart queue.size is 1200, usually 5, since 10:42:10 UTC":                                    odd("cart", "queue.size", StatValue, "", 1200, 3, 7),
		"cart queue.size was 120 message, usually 5 message, from 10:42:10 to 10:55:10 UTC":         closed,
		"cart http.server.request.duration p99 is 812 ms, usually 118 ms, since 10:42:10 UTC":       odd("cart", "http.server.request.duration", StatP99, "s", .812, .095, .14),
		"cart http.server.request.duration p50 is 3.5 s, usually 0.255 s, since 10:42:10 UTC":       odd("cart", "http.server.request.duration", StatP50, "ms", 3500, 200, 310),
		"cart http.server.request.duration mean is 2 s, usually 1 s, since 10:42:10 UTC":            odd("cart", "http.server.request.duration", StatMean, "s", 2, 1, 1),
		"cart http.requests rate is 3 per s, usually 12 per s, since 10:42:10 UTC":                  odd("cart", "http.requests", StatRate, "1/s", 3, 10, 14),
		"cart memory is 1.5 GiB, usually 0.22 GiB, since 10:42:10 UTC":                              odd("cart", "memory", StatValue, "By", 1536<<20, 200<<20, 250<<20),
		"cart system.cpu.utilization is 0.97, usually 0.2, since 10:42:10 UTC":                      odd("cart", "system.cpu.utilization", StatValue, "1", .97, .1, .3),
		"cart queue.size has sent nothing since 10:41:10 UTC":                                       silent,
		"cart queue.size sent nothing from 10:41:10 UTC":                                            silentClosed,
		"cart GET /pay takes 812 ms at p99, usually 118 ms, since 10:42:10 UTC":                     odd("cart", MetricSpanDuration, StatP99, "s", .812, .095, .14, AttrSpanName, "GET /pay", AttrSpanKind, "Server"),
		"cart GET /pay calls are 12, usually 100, since 10:42:10 UTC":                               odd("cart", MetricSpanCalls, StatCount, "{call}", 12, 80, 120, AttrSpanName, "GET /pay"),
		"cart GET /pay fails in 12.5 % of its calls, usually 0.5 %, since 10:42:10 UTC":             odd("cart", MetricSpanCalls, StatErrorRatio, "1", .125, 0, .01, AttrSpanName, "GET /pay"),
		"cart GET /pay time of its own p50 is 80 ms, usually 11.5 ms, since 10:42:10 UTC":           odd("cart", MetricSpanSelfTime, StatP50, "s", .08, .009, .014, AttrSpanName, "GET /pay"),
		"cart time on the way to payments p50 is 80 ms, usually 11.5 ms, since 10:42:10 UTC":        odd("cart", MetricSpanNetworkTime, StatP50, "s", .08, .009, .014, AttrSpanName, "GET /pay", AttrPeerService, "payments"),
		"cart log records are 900, usually 15, since 10:42:10 UTC":                                  odd("cart", MetricLogRecords, StatCount, "{record}", 900, 10, 20),
		"cart log error ratio is 40 %, usually 1 %, since 10:42:10 UTC":                             odd("cart", MetricLogRecords, StatErrorRatio, "1", .4, 0, .02),
		`cart log records of "paid <*>" are 0, usually 15, since 10:42:10 UTC, such as "paid 7"`:    odd("cart", MetricLogRecords, StatCount, "{record}", 0, 10, 20, AttrTemplateID, "00000000000000aa", AttrTemplate, "paid <*>", AttrExample, "paid 7"),
		`cart new log templates are 2, usually 0, since 10:42:10 UTC, such as "panic: nil"`:         odd("cart", MetricNewTemplates, StatCount, "{template}", 2, 0, 0, AttrTemplate, "panic: <*>", AttrExample, "panic:\n\tnil"),
		`cart number 1 in log records of "took <*> ms" p99 is 812, usually 118, since 10:42:10 UTC`: odd("cart", MetricLogParameter, StatP99, "", 812, 95, 140, AttrTemplate, "took <*> ms", AttrParameter, "1"),
		"cart share of series outside their interval is 23 %, usually 2.5 %, since 10:42:10 UTC":    group,
	} {
		assert.Equal(t, want, Sentence(&a))
	}
}

func TestAccounts(t *testing.T) {
	p99 := odd("checkout", MetricSpanDuration, StatP99, "s", .812, .095, .14)
	calls := odd("payments", MetricSpanDuration, StatP95, "s", .7, .02, .03, AttrSpanName, "database calls")
	calls.Opened = tenFortyTwo.Add(-20 * time.Second)
	errors := odd("payments", MetricSpanCalls, StatErrorRatio, "1", .2, 0, .01)
	version := incident.Change{Kind: incident.ChangeVersion, What: "1.8.2", Time: tenFortyTwo.Add(-time.Minute)}
	restart := incident.Change{Kind: incident.ChangeRestart, What: "pod-7", Time: tenFortyTwo.Add(-30 * time.Second)}

	payments := incident.Suspect{Service: "payments", Since: calls.Opened, Evidence: errors, Also: []incident.Anomaly{calls}, First: calls.Series, Changes: []incident.Change{restart, version}}
	checkout := incident.Suspect{Service: "checkout", Since: p99.Opened, Evidence: p99, First: p99.Series}
	of := func(count int, suspects ...incident.Suspect) *incident.Incident {
		return &incident.Incident{Symptom: p99, Count: count, Suspects: suspects}
	}
	withChanges := func(s incident.Suspect, changes ...incident.Change) incident.Suspect {
		s.Changes = changes
		return s
	}
	early := checkout
	early.Since = calls.Opened
	falls := odd("payments", "queue.size", StatValue, "", 1, 5, 7)
	falls.Kind = "low"
	low := incident.Suspect{Service: "payments", Since: tenFortyTwo, Evidence: falls, First: falls.Series}
	merged := of(1, checkout)
	merged.MergedInto = "00000000000000bb"

	seen := "checkout takes 812 ms at p99, usually 118 ms, since 10:42:10 UTC. "
	for want, i := range map[string]*incident.Incident{
		"Likely cause: payments (its database calls takes 700 ms at p95, usually 25 ms, since 10:41:50, before all others, after version 1.8.2 appeared). 14 more series follow.": of(16, payments, checkout),
		"Likely cause: payments (its database calls takes 700 ms at p95, usually 25 ms, since 10:41:50, before all others, after instance pod-7 started). 1 more series follows.": of(3, withChanges(payments, restart), checkout),
		"Likely cause: payments (its database calls takes 700 ms at p95, usually 25 ms, since 10:41:50).":                                                                         of(2, withChanges(payments), early),
		"Likely cause: payments (its queue.size is 1, usually 6, since 10:42:10).":                                                                                                of(2, low, checkout),
		"Likely cause: checkout itself.": of(1, checkout),
		"Likely cause: checkout itself (after version 1.8.2 appeared at 10:41:10). 2 more series follow.": of(3, withChanges(checkout, version)),
		"Likely cause: checkout itself (after it restarted at 10:41:10).":                                 of(1, withChanges(checkout, incident.Change{Kind: incident.ChangeRestart, Time: version.Time})),
		"Likely cause: checkout itself (after image shop:7 appeared at 10:41:10).":                        of(1, withChanges(checkout, incident.Change{Kind: incident.ChangeImage, What: "shop:7", Time: version.Time})),
		"Likely cause: checkout itself (after Kubernetes said OOMKilling pod-7 at 10:41:10).":             of(1, withChanges(checkout, incident.Change{Kind: incident.ChangeKubernetes, What: "OOMKilling pod-7", Time: version.Time})),
		"Likely cause: checkout itself (after the event config.reloaded at 10:41:10).":                    of(1, withChanges(checkout, incident.Change{Kind: incident.ChangeConfig, What: "config.reloaded", Time: version.Time})),
		"Likely cause: checkout itself. This is part of incident 00000000000000bb.":                       merged,
	} {
		assert.Equal(t, seen+want, Account(i, time.UTC))
	}
	assert.Contains(t, Account(of(1, checkout), time.FixedZone("TST", 7200)), "since 12:42:10 TST.")
}
