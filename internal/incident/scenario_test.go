// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/golden"
	"github.com/auspex-otel/auspex/internal/topology"
)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// TestScenarios plays testdata/*.txt. testdata/README.md explains the commands.
func TestScenarios(t *testing.T) {
	golden.Files(t, "testdata/*.txt", func(t *testing.T, text string) string {
		t.Helper()
		straight := play(t, text, false)
		assert.Equal(t, straight, play(t, text, true), "a tracker that is saved and restored after every command gives the same answers")
		return straight
	})
}

// play runs a scenario and returns it with its answers. If restore is set, the tracker is saved and restored after every command.
func play(t *testing.T, text string, restore bool) string {
	t.Helper()
	s := &scenario{T: t, tracker: NewTracker(), series: map[string]uint64{}, subjects: map[string]Subject{}, cadence: 10, namespaces: map[string]string{}}
	return golden.Play(text, func(words []string) []string {
		answers := s.do(words)
		if restore {
			b, err := s.tracker.AppendBinary(nil)
			require.NoError(t, err)
			s.tracker = NewTracker()
			require.NoError(t, s.tracker.UnmarshalBinary(b))
			s.tracker.SetGraph(NewGraph(s.edges, s.namespaces))
		}
		return answers
	})
}

type scenario struct {
	*testing.T
	tracker *Tracker
	series  map[string]uint64
	// subjects holds the subjects that `series` defined.
	subjects map[string]Subject
	cadence  int

	edges      []topology.Edge
	namespaces map[string]string
}

func (s *scenario) do(words []string) []string {
	s.Helper()
	switch words[0] {
	case "cadence":
		s.cadence = s.number(words[1])
		return nil
	case "series":
		s.describe(words[1], words[2:])
		return nil
	case "calls", "runs":
		e := topology.Edge{From: topology.ID{Kind: topology.Service, Name: words[1]}, To: topology.ID{Kind: topology.Service, Name: words[2]}, Calls: 1}
		if kind, name, ok := strings.Cut(words[2], ":"); ok {
			e.To.Kind, e.To.Name = map[string]topology.Kind{"database": topology.Database, "queue": topology.Queue, "external": topology.External}[kind], name
		}
		if words[0] == "runs" {
			e.To.Kind, e.Calls = topology.Host, 0
		}
		s.edges = append(s.edges, e)
		s.tracker.SetGraph(NewGraph(s.edges, s.namespaces))
		return nil
	case "namespace":
		s.namespaces[words[1]] = words[2]
		s.tracker.SetGraph(NewGraph(s.edges, s.namespaces))
		return nil
	case "see":
		s.tracker.Changes.See(words[1], ChangeKind(words[2]), words[3], s.at(words[4]))
		return nil
	case "blame":
		return s.blame(words[1:])
	case "happened":
		s.tracker.Changes.Happened(words[1], ChangeKind(words[2]), words[3], s.at(words[4]))
		return nil
	case "point":
		return s.point(words[1:])
	case "silence":
		return append([]string{fmt.Sprint("exposed ", s.tracker.Silence(s.id(words[1]), Reason(strings.Join(words[2:], " "))))}, s.news()...)
	case "incidents":
		return s.incidents()
	case "open":
		by, total := s.tracker.IncidentsBy()
		require.LessOrEqual(s, len(by), max(total, len(s.series)))
		return []string{fmt.Sprint(s.tracker.OpenBy(), " incidents ", total, " opened ", s.tracker.Opened, " followed ", len(s.tracker.Followed()))}
	}
	s.Fatalf("unknown command %q", words)
	return nil
}

// describe parses: service/series and its properties: host, saturates=high, counts, peer=database:name.
func (s *scenario) describe(series string, words []string) {
	s.Helper()
	subject := s.subjects[series]
	for _, word := range words {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "host":
			subject.Host = true
		case "work":
			subject.Work = true
		case "saturates":
			subject.Saturates = value
		case "counts":
			subject.Counts = true
		case "unit":
			subject.Unit = value
		case "peer":
			kind, name, _ := strings.Cut(value, ":")
			subject.Peer = Party{PartyKind(kind), name}
		default:
			s.Fatalf("unknown property %q", word)
		}
	}
	s.subjects[series] = subject
}

// point parses: service/series second score [surprise] [low] [silent] [accepted] [observed=v], where second may be
// a..b: points from second a to b at the cadence.
func (s *scenario) point(words []string) (answers []string) {
	from, to, many := strings.Cut(words[1], "..")
	if !many {
		to = from
	}
	score, err := strconv.ParseFloat(words[2], 64)
	require.NoError(s, err)
	service, name, _ := strings.Cut(words[0], "/")
	phase, count := "", 0
	flush := func() {
		if count > 0 {
			answers = append(answers, fmt.Sprintf("%s x%d", phase, count))
		}
		count = 0
	}
	for at := s.number(from); at <= s.number(to); at += s.cadence {
		p := Point{
			Series: s.id(words[0]), Time: start.Add(time.Duration(at) * time.Second).UnixNano(), Cadence: int64(s.cadence) * int64(time.Second),
			Score: score, Surprise: 7 * score, Observed: 100 * score, Expected: 1, Lower: -1, Upper: 50, Kind: "high",
		}
		for _, word := range words[3:] {
			s.modify(&p, word)
		}
		got := [...]string{"none", "exposed", "end"}[s.tracker.Observe(p, func() Subject {
			subject := s.subjects[words[0]]
			subject.Series, subject.Service, subject.Metric, subject.Statistic = fmt.Sprintf("%016x", p.Series), service, name, "value"
			subject.Group = name == "group"
			return subject
		})]
		if got != phase {
			flush()
		}
		phase, count = got, count+1
		if news := s.news(); len(news) > 0 {
			flush()
			answers = append(answers, news...)
		}
	}
	flush()
	return answers
}

// modify applies a word to a point.
func (s *scenario) modify(p *Point, word string) {
	s.Helper()
	text, isValue := strings.CutPrefix(word, "observed=")
	switch word {
	case "low":
		p.Kind = low
	case "silent":
		p.Kind, p.SilentSince = silent, p.Time
	case "accepted":
		p.Accepted = true
	default:
		v, err := strconv.ParseFloat(text, 64)
		require.NoError(s, err)
		if isValue {
			p.Observed = v
		} else {
			p.Surprise = v
		}
	}
}

func (s *scenario) news() (answers []string) {
	anomalies, incidents := s.tracker.News()
	for _, a := range anomalies {
		answers = append(answers, "anomaly "+describe(&a))
	}
	for _, i := range incidents {
		answers = append(answers, s.incident(&i))
	}
	return answers
}

func (s *scenario) incidents() (answers []string) {
	for _, i := range s.tracker.Incidents("") {
		again, ok := s.tracker.Incident(i.ID)
		assert.True(s, ok)
		assert.Equal(s, i, again)
		answers = append(answers, s.incident(&i))
		if i.Undetermined {
			answers = append(answers, "  undetermined")
		}
		for _, e := range i.History {
			answers = append(answers, "  "+clock(e.Time)+" "+e.What)
		}
		for _, suspect := range i.Suspects {
			answers = append(answers, s.suspect(&suspect))
		}
		for _, a := range i.Anomalies {
			assert.Equal(s, i.ID, a.Incident)
			answers = append(answers, "  "+describe(&a))
		}
	}
	return answers
}

func (s *scenario) incident(i *Incident) string {
	names := make([]string, len(i.Suspects))
	for n, suspect := range i.Suspects {
		names[n] = suspect.Service
	}
	text := fmt.Sprintf("incident %s %s %s max %g %s suspects %s anomalies %d", i.ID, i.Service, i.State, i.MaxScore,
		span(i.Opened, i.Updated, i.Closed, i.Reason), strings.Join(names, ","), i.Count)
	if i.MergedInto != "" {
		return text + " merged into " + i.MergedInto
	}
	return text
}

func (s *scenario) suspect(of *Suspect) string {
	var text strings.Builder
	fmt.Fprintf(&text, "  suspect %s %s surprise %.3g since %s hops %d by %s", of.Kind, of.Name, of.Surprise, clock(of.Since), of.Hops, of.Evidence.Metric)
	for _, a := range of.Also {
		text.WriteString("," + a.Metric)
	}
	for _, c := range of.Causes {
		text.WriteString(" because it " + c.What)
	}
	for _, c := range of.Changes {
		fmt.Fprintf(&text, " after %s %s at %s", c.Kind, c.What, clock(c.Time))
	}
	return text.String()
}

// blame parses a second and triples of service, surprise, and word, about the open incident.
func (s *scenario) blame(words []string) []string {
	s.Helper()
	open := s.tracker.Incidents(StateOpen)
	require.Len(s, open, 1)
	require.Equal(s, open[0].Opened, s.tracker.OpenedAt(open[0].ID))
	require.Equal(s, []string{open[0].ID}, s.tracker.Young(open[0].Opened.Add(-1)))
	require.Empty(s, s.tracker.Young(open[0].Opened))
	var causes []Cause
	for list := words[1:]; len(list) > 0; list = list[3:] {
		surprise, err := strconv.ParseFloat(list[1], 64)
		require.NoError(s, err)
		causes = append(causes, Cause{Service: list[0], Surprise: surprise, What: list[2], Since: s.at(words[0]), Gone: list[2] == "vanished"})
	}
	s.tracker.Blame(open[0].ID, s.at(words[0]), causes)
	return s.news()
}

func (s *scenario) at(second string) time.Time {
	s.Helper()
	return start.Add(time.Duration(s.number(second)) * time.Second)
}

func describe(a *Anomaly) string {
	return fmt.Sprintf("%s %s/%s %s score %g max %g surprise %g observed %g %s", a.ID, a.Service, a.Metric, a.State,
		a.Score, a.MaxScore, a.Surprise, a.Observed, span(a.Opened, a.Updated, a.Closed, a.Reason))
}

func span(opened, updated, closed time.Time, why Reason) string {
	s := "opened " + clock(opened) + " updated " + clock(updated)
	if closed.IsZero() {
		return s
	}
	return s + " closed " + clock(closed) + " (" + string(why) + ")"
}

func clock(t time.Time) string { return fmt.Sprintf("%+d", int(t.Sub(start).Seconds())) }

// id numbers the series in the order of appearance.
func (s *scenario) id(name string) uint64 {
	if s.series[name] == 0 {
		s.series[name] = uint64(len(s.series) + 1)
	}
	return s.series[name]
}

func (s *scenario) number(text string) int {
	s.Helper()
	n, err := strconv.Atoi(text)
	require.NoError(s, err)
	return n
}
