// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/charts"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/topology"
)

const (
	// maxPoints bounds the points of one answer, defaultPoints is how many there are unless a request says otherwise.
	maxPoints, defaultPoints = 5000, 1500
	// maxTemplates bounds the templates of one answer.
	maxTemplates, defaultTemplates = 1000, 200
	// sparkPoints and sparkFor are the points of a sparkline, and its length before the latest point.
	sparkPoints, sparkFor = 60, 6 * time.Hour
	// recently is the time for which a template is new, and the silence after which it has vanished.
	recently = time.Hour
	// maxEdges bounds the edges of the service map.
	maxEdges = 2000
)

// oneSeries returns the details of the series that the path names.
func oneSeries(e *engine.Engine, r *http.Request, _ url.Values) (any, error) {
	return detailOf(e, r.PathValue("id"))
}

// detailOf returns the details of the series with the identity text, 16 hexadecimal digits.
func detailOf(e *engine.Engine, text string) (d view.Detail, err error) {
	id, err := parseSeries(text)
	if err != nil {
		return d, err
	}
	ok := false
	e.Look(func(rows view.Rows, _ *topology.Graph) { d, ok = view.Find(rows, id) })
	if !ok {
		return d, &httpError{http.StatusNotFound, fmt.Sprintf("no series has the id %q, or it was forgotten: GET /api/v1/series lists the known ones", id)}
	}
	return d, nil
}

// float is a number that is null in JSON where it is none.
type float float32

// MarshalJSON writes a finite number in as few digits as identify it.
func (f float) MarshalJSON() ([]byte, error) {
	if v := float64(f); math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(f), 'g', -1, 32), nil
}

// columns are points by column, with times in seconds since 1970.
type columns struct {
	Time     []float64 `json:"time"`
	Value    []float   `json:"value"`
	Min      []float   `json:"min"`
	Max      []float   `json:"max"`
	Expected []float   `json:"expected"`
	Lower    []float   `json:"lower"`
	Upper    []float   `json:"upper"`
	Score    []float   `json:"score"`
}

func columnsOf(points []charts.Point) columns {
	c := columns{[]float64{}, []float{}, []float{}, []float{}, []float{}, []float{}, []float{}, []float{}}
	for _, p := range points {
		c.Time = append(c.Time, float64(p.Time)/1e9)
		for _, of := range [...]struct {
			list *[]float
			v    float32
		}{
			{&c.Value, p.Value}, {&c.Min, p.Min}, {&c.Max, p.Max}, {&c.Expected, p.Expected}, {&c.Lower, p.Lower}, {&c.Upper, p.Upper}, {&c.Score, p.Score},
		} {
			*of.list = append(*of.list, float(of.v))
		}
	}
	return c
}

// points answers the chart history of one series, which is kept the longer for it.
func (a *api) points(_ *engine.Engine, r *http.Request, q url.Values) (any, error) {
	id, err := parseSeries(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	from, err := timeOf(q, "from", math.MinInt64)
	if err != nil {
		return nil, err
	}
	to, err := timeOf(q, "to", math.MaxInt64)
	if err != nil {
		return nil, err
	}
	if from > to {
		return nil, badRequest("from is after to: exchange them")
	}
	limit, err := limitOf(q, defaultPoints, maxPoints)
	if err != nil {
		return nil, err
	}
	a.charts.Pin(uint64(id), time.Now())
	return columnsOf(a.charts.Points(uint64(id), from, to, limit)), nil
}

// timeOf reads a parameter that is a time in RFC 3339, and returns it in nanoseconds since 1970.
func timeOf(q url.Values, name string, absent int64) (int64, error) {
	if !q.Has(name) {
		return absent, nil
	}
	t, err := time.Parse(time.RFC3339, q.Get(name))
	if err != nil || t.Year() < 1970 || t.Year() > 2200 {
		return 0, badRequest("%s is %q: it must be a time as in 2026-05-04T14:00:00Z, from 1970 to 2200", name, q.Get(name))
	}
	return t.UnixNano(), nil
}

// limitOf reads the parameter limit.
func limitOf(q url.Values, absent, most int) (int, error) {
	if !q.Has("limit") {
		return absent, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 || n > most {
		return 0, badRequest("limit is %q: it must be a number, 1..%d", q.Get("limit"), most)
	}
	return n, nil
}

// templateView is a template with what has become of it, and a sparkline of its counts.
type templateView struct {
	view.Template
	State string  `json:"state"`
	Spark []float `json:"spark"`
}

const templateStates = "all|anomalous|new|vanished"

// templates answers the templates of log records: the anomalous first, then the new, the vanished, and the others, the latest first.
func (a *api) templates(e *engine.Engine, _ *http.Request, q url.Values) (any, error) {
	limit, err := limitOf(q, defaultTemplates, maxTemplates)
	if err != nil {
		return nil, err
	}
	state := cmp.Or(q.Get("state"), "all")
	if !slices.Contains(strings.Split(templateStates, "|"), state) {
		return nil, badRequest("state is %q: it must be one of %s", state, templateStates)
	}
	text, service := strings.ToLower(q.Get("q")), q.Get("service")
	all := e.Templates()
	began := map[string]time.Time{}
	for _, t := range all {
		if at, ok := began[t.Service]; !ok || t.First.Before(at) {
			began[t.Service] = t.First
		}
	}
	list, total := []templateView{}, 0
	for _, t := range all {
		v := templateView{Template: t, State: stateOfTemplate(t, began[t.Service]), Spark: []float{}}
		if service != "" && service != t.Service || text != "" && !strings.Contains(strings.ToLower(t.Text+" "+t.Service), text) || state != "all" && state != v.State {
			continue
		}
		total++
		list = append(list, v)
	}
	rank := func(v templateView) int { return slices.Index([]string{"anomalous", "new", "vanished", ""}, v.State) }
	slices.SortStableFunc(list, func(a, b templateView) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), b.Last.Compare(a.Last)) })
	list = list[:min(limit, len(list))]
	for i := range list {
		id, _ := parseSeries(list[i].Series)
		to := list[i].Now.UnixNano()
		for _, p := range a.charts.Points(uint64(id), to-int64(sparkFor), to, sparkPoints) {
			list[i].Spark = append(list[i].Spark, float(p.Value))
		}
	}
	return map[string]any{"templates": list, "total": total}, nil
}

// stateOfTemplate returns the state of a template of a service whose first template came at a time.
func stateOfTemplate(t view.Template, began time.Time) string {
	switch {
	case t.Score > 0:
		return "anomalous"
	case t.First.After(began.Add(recently)) && t.Now.Sub(t.First) < recently:
		return "new"
	case t.Established && t.Now.Sub(t.Last) > recently:
		return "vanished"
	default:
		return ""
	}
}

// serviceView is a service with whether it is part of an open incident.
type serviceView struct {
	view.Service
	// Status is incident, anomalous, learning, or ok. Incident is the id of the most severe open incident.
	Status   string `json:"status"`
	Incident string `json:"incident,omitempty"`
}

// edgeView is a call between two parties.
type edgeView struct {
	From     string             `json:"from"`
	To       string             `json:"to"`
	FromKind incident.PartyKind `json:"from_kind"`
	ToKind   incident.PartyKind `json:"to_kind"`
	Calls    uint64             `json:"calls"`
}

// services answers the services, and what calls what.
func services(e *engine.Engine, _ *http.Request, _ url.Values) (any, error) {
	var list []view.Service
	edges := []edgeView{}
	e.Look(func(rows view.Rows, graph *topology.Graph) {
		list = view.Services(rows)
		for _, edge := range graph.Edges() {
			if edge.Calls > 0 && len(edges) < maxEdges {
				edges = append(edges, edgeView{edge.From.Name, edge.To.Name, incident.KindOf(edge.From.Kind), incident.KindOf(edge.To.Kind), edge.Calls})
			}
		}
	})
	open := e.Incidents(incident.StateOpen)
	slices.SortStableFunc(open, func(a, b incident.Incident) int { return cmp.Compare(b.MaxScore, a.MaxScore) })
	out := make([]serviceView, len(list))
	for i, s := range list {
		out[i] = serviceView{Service: s, Status: "ok"}
		at := slices.IndexFunc(open, func(i incident.Incident) bool { return slices.Contains(i.Services, s.Name) })
		switch {
		case at >= 0:
			out[i].Status, out[i].Incident = "incident", open[at].ID
		case s.Open > 0:
			out[i].Status = "anomalous"
		case s.Warming*2 > s.Series:
			out[i].Status = "learning"
		}
	}
	return map[string]any{"services": out, "edges": edges}, nil
}

// health answers the share of points outside their interval, by service, and what the chart history holds.
func (a *api) health(*engine.Engine, *http.Request, url.Values) (any, error) {
	stats := a.charts.Stats()
	from := stats.Latest.Add(-24 * time.Hour)
	shares := a.charts.Shares(from)
	out := make(map[string][][3]int64, len(shares))
	for name, list := range shares {
		for _, s := range list {
			out[name] = append(out[name], [3]int64{s.Start.Unix(), int64(s.Judged), int64(s.Outside)})
		}
	}
	return map[string]any{"bucket_seconds": charts.ShareWidth.Seconds(), "services": out, "history": stats}, nil
}
