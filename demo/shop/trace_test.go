// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// followed plays n intervals with a fault from the start, and returns all spans and lines.
func followed(seed uint64, n int, share float64, f Fault) (spans []Span, lines []Line) {
	s := New(seed, noon, cadence, share)
	s.Break(f, Normal{})
	for range n {
		iv := s.Next()
		spans, lines = append(spans, iv.Spans...), append(lines, iv.Lines...)
	}
	return spans, lines
}

// TestTracesAreWhole verifies that all spans of a request are returned, and that each lies within its parent. The
// parent of a server span is the client span. The parent of any other span is the server span or a part of it.
func TestTracesAreWhole(t *testing.T) {
	spans, lines := followed(5, 40, .05, Fault{})
	byID, kinds := map[[8]byte]*Span{}, map[SpanKind]int{}
	for i := range spans {
		if byID[spans[i].ID] != nil {
			t.Fatal("an id occurs twice")
		}
		byID[spans[i].ID] = &spans[i]
		kinds[spans[i].Kind]++
	}
	settled := noon.Add(38 * cadence)
	for i := range spans {
		s := &spans[i]
		if s.Parent == [8]byte{} {
			if s.Kind != Server {
				t.Errorf("a root %+v", s)
			}
			continue
		}
		p := byID[s.Parent]
		if p == nil {
			if s.End.Before(settled) {
				t.Errorf("%s has no parent", s.Name)
			}
			continue
		}
		wanted := map[SpanKind]SpanKind{Server: Client, Internal: Server, Producer: Server, Consumer: Producer}
		if want, ok := wanted[s.Kind]; s.Trace != p.Trace || ok && p.Kind != want {
			t.Errorf("%s of kind %d is a child of %s", s.Name, s.Kind, p.Name)
		}
		if s.Kind == Consumer {
			if s.Start.Before(p.End) {
				t.Errorf("%s begins before it was sent", s.Name)
			}
		} else if s.Start.Before(p.Start) || s.End.After(p.End) {
			t.Errorf("%s is outside of %s", s.Name, p.Name)
		}
		if other := s.Kind == Server || s.Kind == Consumer; other == (s.By.Service == p.By.Service) {
			t.Errorf("%s is of %s, its parent of %s", s.Name, s.By.Pod, p.By.Pod)
		}
	}
	if len(kinds) != 5 || kinds[Server] < 300 || kinds[Consumer] < 50 {
		t.Errorf("spans by kind: %v", kinds)
	}
	for _, l := range lines {
		if s := byID[l.Span]; s != nil && (l.At.Before(s.Start) || l.At.After(s.End) || l.Trace != s.Trace || l.By != s.By) {
			t.Errorf("%q is not in its span", l.Body)
		}
		if strings.ContainsAny(l.Body, "{}") && !strings.Contains(l.Body, "/{id}") {
			t.Errorf("%q has a variable left", l.Body)
		}
	}
}

// TestSameSeedSameBytes verifies that texts, ids, and times depend only on the seed, for every fault.
func TestSameSeedSameBytes(t *testing.T) {
	digest := func(seed uint64, f Fault) string {
		spans, lines := followed(seed, 30, .05, f)
		h := fnv.New64a()
		for i := range spans {
			s := spans[i]
			fmt.Fprint(h, *s.By, s.Trace, s.ID, s.Parent, s.Name, s.Start, s.End, s.Attributes, s.Error)
		}
		for _, l := range lines {
			fmt.Fprint(h, *l.By, l.At, l.Body, l.Span)
		}
		return fmt.Sprint(len(spans), len(lines), h.Sum64())
	}
	for _, r := range recipes {
		f := Draw(3, r.kind)
		if a, b := digest(3, f), digest(3, f); a != b {
			t.Errorf("%s: %s, then %s", r.kind, a, b)
		}
	}
	if digest(3, Fault{}) == digest(4, Fault{}) {
		t.Error("seeds 3 and 4 produce the same telemetry")
	}
}

// mean returns the mean duration in milliseconds and the share of failures of the wanted spans.
func mean(spans []Span, wanted func(*Span) bool) (ms, failed float64, n int) {
	for i := range spans {
		if s := &spans[i]; wanted(s) {
			n++
			ms += float64(s.End.Sub(s.Start)) / float64(time.Millisecond)
			if s.Error != "" {
				failed++
			}
		}
	}
	return ms / float64(n), failed / float64(n), n
}

func serverOf(service int) func(*Span) bool {
	return func(s *Span) bool { return s.Kind == Server && s.By.Service == service }
}

func callOf(from int, to string) func(*Span) bool {
	return func(s *Span) bool {
		return s.Kind == Client && s.By.Service == from && slices.Contains(s.Attributes, text("server.address", to))
	}
}

// change returns the increase of the mean duration in milliseconds and of the share of failures during the fault.
func change(f Fault, wanted func(*Span) bool) (ms, failed float64) {
	before, _ := followed(11, 60, .1, Fault{})
	after, _ := followed(11, 60, .1, f)
	a, af, _ := mean(before, wanted)
	b, bf, _ := mean(after, wanted)
	return b - a, bf - af
}

func TestSlowDatabase(t *testing.T) {
	f := Fault{Kind: SlowDatabase, Service: payments, Size: 4}
	if ms, _ := change(f, callOf(payments, "ledger-db")); ms < 50 || ms > 80 {
		t.Errorf("queries take %.1f ms longer, want 60", ms)
	}
	if ms, _ := change(f, serverOf(payments)); ms < 45 || ms > 90 {
		t.Errorf("payments takes %.1f ms longer, want 60", ms)
	}
	if ms, _ := change(f, callOf(checkout, "orders-db")); ms < -3 || ms > 3 {
		t.Errorf("another database takes %.1f ms longer", ms)
	}
}

// TestNetworkMovesClientsOnly verifies that the callee of a slow network is unaffected.
func TestNetworkMovesClientsOnly(t *testing.T) {
	f := Fault{Kind: Network, Caller: checkout, Service: payments, Size: .06}
	if ms, _ := change(f, callOf(checkout, "payments")); ms < 45 || ms > 80 {
		t.Errorf("calls take %.1f ms longer, want about 60", ms)
	}
	if ms, _ := change(f, serverOf(payments)); ms < -6 || ms > 6 {
		t.Errorf("the callee takes %.1f ms longer", ms)
	}
	if ms, _ := change(f, callOf(payments, "bank-gateway")); ms < -12 || ms > 12 {
		t.Errorf("another edge takes %.1f ms longer", ms)
	}
}

func TestVanished(t *testing.T) {
	f := Fault{Kind: Vanished, Service: bank}
	spans, lines := followed(11, 60, .1, f)
	if _, _, n := mean(spans, serverOf(bank)); n != 0 {
		t.Errorf("%d spans of a service that has vanished", n)
	}
	ms, failed, n := mean(spans, callOf(payments, "bank-gateway"))
	if n == 0 || failed != 1 || ms > 5 {
		t.Errorf("%d calls, %.0f %% refused, in %.1f ms", n, failed*100, ms)
	}
	if _, more := change(f, serverOf(payments)); more < .4 {
		t.Errorf("its caller fails %.2f more often", more)
	}
	if !slices.ContainsFunc(lines, func(l Line) bool {
		return l.By.Service == payments && l.Failed && l.Body == "no connection to bank-gateway: connection refused"
	}) {
		t.Error("its caller logs no error")
	}
}

func TestDeployment(t *testing.T) {
	numbers := regexp.MustCompile(`\b[0-9a-f]{16}\b|[0-9][0-9.]*`)
	for _, throws := range []bool{false, true} {
		f := Fault{Kind: Deployment, Service: shipping, Size: .5, Other: throws}
		spans, lines := followed(11, 60, .1, f)
		_, failed, served := mean(spans, serverOf(shipping))
		_, _, asked := mean(spans, callOf(shipping, "tariffs-db"))
		if share := float64(asked) / float64(served); share < .4 || share > .6 {
			t.Errorf("%.2f of the requests reach the database, want half", share)
		}
		if throws == (failed < .4) {
			t.Errorf("throws %v: %.2f fail", throws, failed)
		}
		news := map[string]bool{}
		for _, l := range lines {
			if l.By.Service == shipping {
				if l.By.Version != "0.10.0" {
					t.Fatalf("version %s", l.By.Version)
				}
				if slices.ContainsFunc(newParts, func(part string) bool { return strings.Contains(l.Body, part) }) {
					news[numbers.ReplaceAllString(l.Body, "#")] = true
				}
			}
		}
		if len(news) != NewLines {
			t.Errorf("%d new lines, want %d", len(news), NewLines)
		}
	}
}

func TestBacklog(t *testing.T) {
	s := New(11, noon, cadence, .1)
	play := func(n int) (waiting int, delay time.Duration) {
		sent := map[[8]byte]time.Time{}
		for range n {
			iv := s.Next()
			waiting = iv.Waiting
			for _, span := range iv.Spans {
				if span.Kind == Producer {
					sent[span.ID] = span.End
				}
				if at, ok := sent[span.Parent]; ok && span.Kind == Consumer {
					delay = span.Start.Sub(at)
				}
			}
		}
		return waiting, delay
	}
	if waiting, delay := play(60); waiting > 30 || delay > time.Second {
		t.Errorf("%d messages wait %v in a shop without a fault", waiting, delay)
	}
	s.Break(Fault{Kind: Backlog, Size: 4}, Normal{})
	if waiting, delay := play(36); waiting < 300 || delay < 10*time.Second {
		t.Errorf("%d messages wait %v in a backlog", waiting, delay)
	}
}

func TestSaturatedPod(t *testing.T) {
	f := Fault{Kind: CPU, Service: cart, Pod: 1, Size: 2}
	s := New(11, noon, cadence, 0)
	s.Break(f, Normal{})
	for range 5 {
		pods := s.Next().Services[cart].Pods
		if pods[1].CPU < .95 || pods[0].CPU > .6 {
			t.Errorf("CPU %v and %v", pods[0].CPU, pods[1].CPU)
		}
	}
	spans, _ := followed(11, 60, .1, f)
	of := func(k int) float64 {
		ms, _, _ := mean(spans, func(span *Span) bool { return serverOf(cart)(span) && span.By.Pod == s.pods[cart][k].Pod })
		return ms
	}
	s0, s1 := of(0), of(1)
	if s1-s0 < 40 || s1-s0 > 90 {
		t.Errorf("%.1f and %.1f ms, want 56 between them", s0, s1)
	}
}

// TestLeakEndsInRestarts verifies that memory grows, the pod is killed, is down, and restarts as a new process.
func TestLeakEndsInRestarts(t *testing.T) {
	s := New(11, noon, cadence, .02)
	s.Break(Fault{Kind: Memory, Service: shipping, Size: .6}, Normal{})
	first, most, down := "", 0., 0
	said := map[string]int{}
	for range 28 {
		iv := s.Next()
		p := iv.Services[shipping].Pods[0]
		if first == "" {
			first = p.ID
		}
		if p.Down {
			down++
		}
		most = max(most, p.Memory)
		for _, l := range iv.Lines {
			for _, word := range []string{"out of memory", "starting, version 0.9.12"} {
				if l.By.Service == shipping && strings.HasPrefix(l.Body, word) {
					said[word]++
				}
			}
		}
	}
	p := s.pods[shipping][0]
	if most < 1.9*240*mebibyte || down != 4 || p.ID == first || said["out of memory"] != 2 || said["starting, version 0.9.12"] != 2 {
		t.Errorf("at most %.0f MiB, down for %d intervals, %v said, process %s then %s", most/mebibyte, down, said, first, p.ID)
	}
}

func TestEveryKindHasATruth(t *testing.T) {
	for _, r := range recipes {
		for seed := range uint64(40) {
			f := Draw(seed, r.kind)
			if f.Kind != r.kind || f.Size < r.least || f.Size > r.most || len(f.Culprits()) == 0 {
				t.Errorf("%s: %+v", r.kind, f)
			}
			if f.Describe(Normal{}, cadence) == "nothing is broken" {
				t.Error(r.kind)
			}
		}
		if known, _ := Known(r.kind); !known {
			t.Errorf("%s is not known", r.kind)
		}
	}
	if known, word := Known("fire"); known || !strings.HasSuffix(word, "queue or vanished") {
		t.Error(word)
	}
	f := Fault{Kind: Network, Caller: checkout, Service: payments}
	if got := f.Culprits(); !slices.Equal(got, []string{"payments", "checkout"}) {
		t.Error(got)
	}
	if got := (Fault{Kind: None}).Culprits(); got != nil {
		t.Error(got)
	}
}

// TestFaultyRequests verifies that the shop marks the requests that a fault changed, and none without a fault.
func TestFaultyRequests(t *testing.T) {
	share := func(f Fault) float64 {
		s := New(7, noon, cadence, .2)
		s.Break(f, Normal{Requests: Moments{400, 20}, Failed: Moments{6, 3}, Latency: Moments{.06, .002}})
		faulty, all := 0, 0
		for range 60 {
			for _, r := range s.Next().Requests {
				if all++; r.Faulty {
					faulty++
				}
			}
		}
		return float64(faulty) / float64(all)
	}
	if got := share(Fault{}); got != 0 {
		t.Errorf("%v are faulty in a shop without a fault", got)
	}
	for _, r := range recipes {
		got := share(Draw(7, r.kind))
		if none := r.kind == Throughput; none != (got == 0) || got > .9 {
			t.Errorf("%s: %.3f of the requests are faulty", r.kind, got)
		}
	}
}
