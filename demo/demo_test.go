// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auspex-otel/auspex/demo/shop"
	"github.com/auspex-otel/auspex/internal/incident"
)

var live = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// after returns the event time that many seconds after the start of the live period.
func after(seconds int) time.Time { return live.Add(time.Duration(seconds) * time.Second) }

// opened returns an incident of one service with one anomaly.
func opened(id, service string, at time.Time, surprise float64) incident.Incident {
	a := incident.Anomaly{
		ID: id + "-a", Incident: id, State: incident.StateOpen, Opened: at, Surprise: surprise, Expected: 10, Observed: 30,
		Subject: incident.Subject{Service: service, Metric: "http.server.request.duration", Statistic: "mean", Unit: "s"},
	}
	return incident.Incident{
		ID: id, Service: service, State: incident.StateOpen, Opened: at, Anomalies: []incident.Anomaly{a},
		Suspects: []incident.Suspect{{Service: service, Surprise: surprise, Since: at, Evidence: a}},
	}
}

// fake returns a client of an API that serves the given incidents.
func fake(t *testing.T, incidents ...incident.Incident) *console {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/incidents", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("state") != "open" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"incidents": incidents})
	})
	mux.HandleFunc("GET /api/v1/status", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"version":"1.2.3","series":56,"points":1000,"alpha":1e-6,"warming":0,"more":[1]}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return newConsole(server.URL)
}

func TestAnswerAndExitCode(t *testing.T) {
	fault := truth{culprits: []string{"payments"}, from: after(20), to: after(60)}
	cases := map[string]struct {
		incidents []incident.Incident
		truth     truth
		code      int
		service   string // in the last line; empty means null
	}{
		"right": {[]incident.Incident{opened("1", "payments", after(25), 20)}, fault, exitRight, "payments"},
		"the most surprising of several": {
			[]incident.Incident{opened("1", "checkout", after(25), 15), opened("2", "payments", after(30), 20)},
			fault, exitRight, "payments",
		},
		"the wrong service":          {[]incident.Incident{opened("1", "checkout", after(25), 20)}, fault, exitWrong, "checkout"},
		"the right one, too early":   {[]incident.Incident{opened("1", "payments", after(20), 20)}, fault, exitWrong, "payments"},
		"after the fault":            {[]incident.Incident{opened("1", "payments", after(61), 20)}, fault, exitWrong, "payments"},
		"of the past only":           {[]incident.Incident{opened("1", "payments", after(-500), 20)}, fault, exitWrong, ""},
		"nothing found":              {nil, fault, exitWrong, ""},
		"nothing broken, none found": {nil, truth{}, exitRight, ""},
		"nothing broken, the past":   {[]incident.Incident{opened("1", "cart", after(0), 20)}, truth{}, exitRight, ""},
		"nothing broken, a false alarm": {
			[]incident.Incident{opened("1", "unknown_service", after(30), 20)},
			truth{},
			exitWrong, "unknown_service",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			d := newDemo(settings{seed: 42}, newScreen(&out, false, false))
			d.console = fake(t, c.incidents...)
			w := newWatch(live)
			if err := d.poll(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			code, err := d.answer(w, outcome{truth: c.truth, what: "it is slow"})
			if err != nil || code != c.code {
				t.Errorf("exit code %d, %v; want %d\n%s", code, err, c.code, &out)
			}
			broken := ""
			if len(c.truth.culprits) > 0 {
				broken = c.truth.culprits[0]
			}
			checkLastLine(t, out.String(), broken, c.service)
		})
	}
}

func TestTour(t *testing.T) {
	var out bytes.Buffer
	newScreen(&out, false, false).tour(&finding{incident: "a1", evidence: incident.Anomaly{Subject: incident.Subject{Series: "b2"}}}, "http://c")
	for _, want := range []string{"http://c/\n", "http://c/incidents/a1\n", "http://c/series/b2\n", "auspex incidents --endpoint http://c a1"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &out)
		}
	}
}

// TestBrowser has a fake xdg-open write down what it is asked for.
func TestBrowser(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("xdg-open is of Linux")
	}
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	display := func(key string) string { return map[string]string{"WAYLAND_DISPLAY": "wayland-0"}[key] }
	if err := os.WriteFile(filepath.Join(dir, opener), []byte("#!/bin/sh\necho \"$1\" >"+said+".half && mv "+said+".half "+said+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if hasDesktop(func(string) string { return "" }) {
		t.Error("there is no display")
	}
	if !hasDesktop(display) {
		t.Error("there is a display")
	}
	if err := browse("http://127.0.0.1:1/"); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if text, err := os.ReadFile(said); err == nil {
			if string(text) != "http://127.0.0.1:1/\n" {
				t.Errorf("opened %q", text)
			}
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("no browser was opened")
}

// checkLastLine checks the last line of the output: valid JSON with all keys, null where there is nothing.
func checkLastLine(t *testing.T, out, broken, service string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var last map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if last["seed"] != 42. || len(last) != 3 {
		t.Errorf("the last line is %v", last)
	}
	if b, _ := last["broken"].(string); b != broken {
		t.Errorf("broken is %v, want %q", last["broken"], broken)
	}
	f, ok := last["found"].(map[string]any)
	if !ok {
		if service != "" || last["found"] != nil {
			t.Errorf("found is %v, want %q", last["found"], service)
		}
		return
	}
	if f["service"] != service || f["metric"] != "http.server.request.duration" || f["expected"] != 10. || f["observed"] != 30. || f["since"] == "" {
		t.Errorf("found is %v", f)
	}
	if id, _ := f["incident"].(string); !strings.Contains(out, "/incidents/"+id+"\n") {
		t.Errorf("the output does not say what to open next:\n%s", out)
	}
}

func TestStableNeedsTimeAndPolls(t *testing.T) {
	w, wall := newWatch(live), time.Now()
	at := func(s int) time.Time { return wall.Add(time.Duration(s) * time.Second) }
	payments, cart := opened("1", "payments", after(25), 15), opened("2", "cart", after(30), 20)
	steps := []struct {
		second int
		open   []incident.Incident
		want   bool
	}{
		{0, nil, false},
		{1, []incident.Incident{payments}, false},
		{15, []incident.Incident{payments}, false},       // too early
		{16, []incident.Incident{payments}, true},        // third poll, after 15 s
		{17, []incident.Incident{payments, cart}, false}, // another suspect leads
		{32, []incident.Incident{payments, cart}, false}, // only two polls
		{33, []incident.Incident{payments, cart}, true},  //
		{34, nil, false}, // closed
		{60, []incident.Incident{opened("9", "cart", after(-9), 99)}, false}, // from the past
	}
	for _, s := range steps {
		w.observe(at(s.second), s.open)
		if got := w.stable(at(s.second), wall); got != s.want {
			t.Errorf("second %d: stable %v, want %v", s.second, got, s.want)
		}
	}
	if f := w.answer(); f == nil || f.service != "cart" || f.incident != "2" {
		t.Errorf("after all incidents have closed the answer is %+v, want the least likely one that was observed", f)
	}
	w.observe(at(61), []incident.Incident{payments})
	w.observe(at(70), []incident.Incident{payments})
	w.observe(at(80), []incident.Incident{payments})
	if !w.stable(at(80), wall) || w.stable(at(80), at(66)) {
		t.Error("stable counts the time before the fault, or does not count the time after it")
	}
}

func TestAnomalyInAnOldIncident(t *testing.T) {
	in := opened("1", "payments", after(-100), 40)
	fresh := opened("1", "payments", after(25), 18).Anomalies[0]
	fresh.Statistic = "p50"
	in.Anomalies = append(in.Anomalies, fresh)
	w := newWatch(live)
	w.observe(time.Now(), []incident.Incident{in})
	if f := w.answer(); f == nil || !f.since.Equal(after(25)) || f.evidence.Statistic != "p50" || f.surprise != 18 {
		t.Errorf("%+v", f)
	}
}

func TestSettings(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(key string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == key {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	set, err := parse(nil, env("SEED", "7", "FAULT", "latency"), io.Discard)
	if err != nil || set.seed != 7 || set.kind != shop.Latency || set.collector != beside("otelcol-auspex") {
		t.Errorf("%+v, %v", set, err)
	}
	if q := set.quiet(); q < quietLeast || q > quietMost || q != set.quiet() {
		t.Errorf("%d quiet intervals", q)
	}
	for want, err := range map[string]error{
		"-before 1m0s: must be 1h0m0s or more": second(parse([]string{"-before", "1m"}, env(), io.Discard)),
		"FAULT=fire: want none, latency, errors, throughput, database, cpu, memory, network, deployment, queue or vanished": second(parse(nil, env("FAULT", "fire"), io.Discard)),
		"SEED=-1: must be an integer": second(parse(nil, env("SEED", "-1"), io.Discard)),
		`unexpected argument "up"`:    second(parse([]string{"up"}, env(), io.Discard)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	var help bytes.Buffer
	if _, err := parse([]string{"--help"}, env(), &help); err == nil || !strings.Contains(help.String(), "SEED=7") {
		t.Errorf("%v\n%s", err, &help)
	}
}

func second(_ settings, err error) error { return err }

func TestOtherPortsIfOneIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	spare, err := unused(addresses{"spare": 0})
	if err != nil {
		t.Fatal(err)
	}
	wanted := addresses{consoleVariable: l.Addr().(*net.TCPAddr).Port, metricsVariable: spare["spare"]}
	got, moved, err := wanted.available()
	if err != nil || !moved || len(got) != 2 || got[consoleVariable] == wanted[consoleVariable] || got[metricsVariable] == wanted[metricsVariable] {
		t.Errorf("got %v, %t, %v instead of %v", got, moved, err, wanted)
	}
	env := got.environment()
	slices.Sort(env)
	if want := []string{"AUSPEX_CONSOLE=" + got.of(consoleVariable), fmt.Sprintf("AUSPEX_METRICS=%d", got[metricsVariable])}; !slices.Equal(env, want) {
		t.Errorf("got %v, want %v", env, want)
	}
	l.Close()
	if got, moved, err := wanted.available(); err != nil || moved || !maps.Equal(got, wanted) {
		t.Errorf("the ports are free, but got %v, %t, %v", got, moved, err)
	}
}

// TestWrite verifies that a seed always writes the same bytes, with the truth in a separate file.
func TestWrite(t *testing.T) {
	play := func(kind shop.Kind) (files map[string]string, w written) {
		set := settings{seed: 2, kind: kind, write: t.TempDir(), before: time.Hour}
		if err := newDemo(set, newScreen(io.Discard, false, false)).write(t.Context()); err != nil {
			t.Fatal(err)
		}
		files = map[string]string{}
		for _, name := range []string{"truth.json", "otlp/traces.jsonl.gz", "otlp/logs.jsonl.gz", "otlp/metrics.jsonl.gz"} {
			text, err := os.ReadFile(filepath.Join(set.write, name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = string(text)
		}
		if err := json.Unmarshal([]byte(files["truth.json"]), &w); err != nil {
			t.Fatal(err)
		}
		return files, w
	}
	one, w := play(shop.SlowDatabase)
	two, _ := play(shop.SlowDatabase)
	if !maps.Equal(one, two) {
		t.Error("the same seed writes other bytes")
	}
	start := time.Date(2026, 5, 4, 2, 0, 0, 0, time.UTC)
	if w.From == nil || !w.From.Equal(start.Add(time.Hour)) || !w.Start.Equal(start) || !w.End.Equal(start.Add(time.Hour+faultFor)) || len(w.Culprits) != 3 {
		t.Errorf("%+v", w)
	}
	if _, w := play(shop.None); w.From != nil || !w.End.Equal(start.Add(time.Hour)) || w.Culprits != nil {
		t.Errorf("%+v", w)
	}
}

// program writes a shell script that replaces the collector.
func program(t *testing.T, script string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	path := filepath.Join(t.TempDir(), "collector")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCollectorEndsWithAllItStarted(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("AUSPEX_CONSOLE", "127.0.0.1:1")
	beat := filepath.Join(t.TempDir(), "beat")
	c, err := startCollector(program(t, `test -d "$AUSPEX_STATE_DIR" && test -z "$AUSPEX_CONSOLE" || exit 9
echo "logs: $AUSPEX_LOG_FILES"
(trap '' TERM; while :; do echo x >> `+beat+`; sleep .05; done) &
wait`))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := os.Stat(beat); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if text := c.lastLines(5); !strings.Contains(text, c.folder) {
		t.Errorf("the log is %q, want the folder %s in it", text, c.folder)
	}
	c.end(true)
	before, _ := os.Stat(beat)
	time.Sleep(200 * time.Millisecond)
	if now, err := os.Stat(beat); err != nil || now.Size() != before.Size() {
		t.Error("a process that the collector started is still there")
	}
	if _, err := os.Stat(c.folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	if _, err := os.Stat(c.log); err != nil {
		t.Errorf("the log was to be kept: %v", err)
	}
}

func TestCollectorThatDies(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out bytes.Buffer
	set := settings{seed: 1, collector: program(t, "echo 'Error: key foo is unknown' >&2\nexit 3")}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	code, err := newDemo(set, newScreen(&out, false, false)).run(ctx, cancel)
	if code != exitWrong || err == nil {
		t.Fatalf("exit code %d, %v", code, err)
	}
	for _, want := range []string{"exit status 3", "key foo is unknown", "auspex-demo-collector-"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestScreen(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, false, false)
	for _, done := range []float64{.1, .3, .4, .6, 1} {
		s.progress("history", done)
	}
	s.wait("not shown")
	if text := out.String(); strings.Count(text, "\n") != 3 || strings.ContainsAny(text, "\r\x1b") {
		t.Errorf("%q", text)
	}
	out.Reset()
	tty := newScreen(&out, true, true)
	tty.progress("history", .5)
	tty.say("%s", tty.green("done"))
	if text := out.String(); !strings.Contains(text, "50 %") || !strings.HasSuffix(text, "\x1b[1;32mdone\x1b[0m\n") {
		t.Errorf("%q", text)
	}
	for want, unit := range map[string]string{"45 ms": "s", "0.045": "1", "0.045 request/s": "{request}/s", "0.045 By": "By"} {
		if got := quantity(.045, incident.Anomaly{Subject: incident.Subject{Unit: unit}}); got != want {
			t.Errorf("%s: %q, want %q", unit, got, want)
		}
	}
}

func TestConsole(t *testing.T) {
	c := fake(t, opened("1", "cart", after(5), 20))
	s, err := c.status(t.Context())
	if err != nil || s.Version != "1.2.3" || s.Series != 56 || s.Points != 1000 {
		t.Errorf("%+v, %v", s, err)
	}
	open, err := c.open(t.Context())
	if err != nil || len(open) != 1 || open[0].Suspects[0].Service != "cart" {
		t.Errorf("%+v, %v", open, err)
	}
	if err := c.get(t.Context(), "/nowhere", &s); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
}
