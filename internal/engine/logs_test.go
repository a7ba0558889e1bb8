// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/golden"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Each testdata/logs/*.txt plays log lines and says what opens. A line in the
// first column is a command, the indented lines below it are what must come of it:
//
//	every MEAN FROM..TO SERVICE SEVERITY TEXT   a line at random, in the mean every MEAN seconds; <n> in the text is a random number, <g:120:10> one around 120
//	once AT SERVICE SEVERITY TEXT
//	restart AT                                  the engine is saved and restored then
//	play                                        all of that in the order of time, one batch a second
//
// Times are seconds. The policy is the default one.
func TestLogScenarios(t *testing.T) {
	golden.Files(t, "testdata/logs/*.txt", playLogs)
}

// line is one log line that is played, or a restart.
type line struct {
	at                      float64
	service, severity, text string
	restart                 bool
}

func playLogs(t *testing.T, text string) string {
	t.Helper()
	var lines []line
	random := rand.New(rand.NewPCG(1, 2))
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err, s)
		return v
	}
	return golden.Play(text, func(words []string) (answers []string) {
		switch words[0] {
		case "every":
			from, to, _ := strings.Cut(words[2], "..")
			for at := number(from); ; {
				if at += random.ExpFloat64() * number(words[1]); at >= number(to) {
					break
				}
				lines = append(lines, line{at: at, service: words[3], severity: words[4], text: fill(random, strings.Join(words[5:], " "))})
			}
		case "once":
			lines = append(lines, line{at: number(words[1]), service: words[2], severity: words[3], text: fill(random, strings.Join(words[4:], " "))})
		case "restart":
			lines = append(lines, line{at: number(words[1]), restart: true})
		case "play":
			slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
			answers, lines = (&logPlayer{T: t}).play(lines), nil
		default:
			t.Fatalf("unknown command %q", words[0])
		}
		return answers
	})
}

func fill(random *rand.Rand, text string) string {
	for strings.Contains(text, "<n>") {
		text = strings.Replace(text, "<n>", strconv.Itoa(10000+random.IntN(90000)), 1)
	}
	return normal.ReplaceAllStringFunc(text, func(s string) string {
		var mean, sd float64
		_, _ = fmt.Sscanf(s, "<g:%g:%g>", &mean, &sd)
		return strconv.Itoa(int(mean + sd*random.NormFloat64()))
	})
}

var normal = regexp.MustCompile(`<g:[0-9.]+:[0-9.]+>`)

type logPlayer struct {
	*testing.T
	engine *Engine
	store  *memory
}

func (p *logPlayer) start(second int) {
	p.engine = newEngine(func(c *Config) { c.FalseAlarms = DefaultConfig().FalseAlarms })
	p.engine.Tick(at(float64(second)))
	require.NoError(p, p.engine.Load(p.Context(), p.store, p.engine.judge.Now()))
}

// play returns what opened and closed.
func (p *logPlayer) play(lines []line) (answers []string) {
	p.store = newMemory()
	p.start(0)
	state := map[string]incident.State{}
	marked := map[string]int{}
	for len(lines) > 0 {
		second := int(lines[0].at)
		n := 0
		ld := plog.NewLogs()
		for ; n < len(lines) && int(lines[n].at) == second; n++ {
			if lines[n].restart {
				require.NoError(p, p.engine.Snapshot(p.Context(), at(float64(second))))
				p.start(second)
				continue
			}
			addLine(ld, lines[n])
		}
		lines = lines[n:]
		p.engine.Tick(at(float64(second)))
		for _, v := range p.engine.ObserveLogs(ld, false) {
			if v.Score > 0 {
				marked[v.Reason]++
			}
		}
		events := p.engine.PendingEvents()
		slices.SortStableFunc(events.Anomalies, func(a, b *incident.Anomaly) int { return a.Opened.Compare(b.Opened) })
		for _, a := range events.Anomalies {
			if state[a.ID] != a.State {
				state[a.ID] = a.State
				answers = append(answers, describeLog(a))
			}
		}
		p.engine.DeliveredEvents(events)
	}
	for _, reason := range slices.Sorted(maps.Keys(marked)) {
		answers = append(answers, fmt.Sprintf("marked %d: %s", marked[reason], reason))
	}
	return answers
}

func describeLog(a *incident.Anomaly) string {
	when := a.Opened
	if a.State == incident.StateClosed {
		when = a.Closed
	}
	s := fmt.Sprintf("%s %+d %s %s %s %s observed %.4g expected %.4g", a.State, int(when.Sub(start).Seconds()), a.Service, a.Metric, a.Statistic, a.Kind, a.Observed, a.Expected)
	if text := a.Attributes[vocabulary.AttrTemplate]; text != "" {
		first, err := time.Parse(time.RFC3339Nano, a.Attributes[vocabulary.AttrFirstSeen])
		if err == nil {
			s += fmt.Sprintf(" first seen %+d", int(first.Sub(start).Seconds()))
		}
		s += ": " + text
	}
	return s
}

var severities = map[string]plog.SeverityNumber{"-": plog.SeverityNumberUnspecified, "INFO": plog.SeverityNumberInfo, "WARN": plog.SeverityNumberWarn, "ERROR": plog.SeverityNumberError}

func addLine(ld plog.Logs, l line) {
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(vocabulary.ServiceName, l.service)
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetTimestamp(pcommon.NewTimestampFromTime(at(l.at)))
	lr.SetSeverityNumber(severities[l.severity])
	lr.Body().SetStr(l.text)
}
