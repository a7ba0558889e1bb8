// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/auspex-otel/auspex/internal/charts"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/engine/census"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/tap"
)

// about holds the fields that the console adds to the engine's status.
type about struct {
	// Version is the collector's, Started when the console started.
	Version string    `json:"version"`
	Started time.Time `json:"started"`
}

// status is the answer of /api/v1/status.
type status struct {
	about
	engine.Status
	census.Crowd
}

// api answers the requests. It looks for the engine until it has found it.
type api struct {
	about  about
	find   func() (*engine.Engine, error)
	charts *charts.Store
	live   *live
	taps   *tap.Taps
	// reports are those of backtests.
	reports reports
	client  *http.Client // reads the collector's own metrics
	// pipelines and effective are nil and "" until the collector's configuration is known.
	pipelines *pipelines
	effective string
	// readOnly rejects requests that change the engine; every client may read.
	readOnly bool

	mu     sync.Mutex
	engine *engine.Engine
}

// route is one method of one address of the API: what it answers, and the parameters that it takes.
type route struct {
	Method     string   `json:"method"`
	Path       string   `json:"path"`
	Parameters []string `json:"parameters,omitempty"`
	About      string   `json:"about"`
	answer     func(*engine.Engine, *http.Request, url.Values) (any, error)
}

func (a *api) routes() []route {
	state := []string{"state=" + stateNames}
	query := []string{"q=", "service=", "metric=", "statistic=" + statisticNames, "limit=" + limitRange}
	span := []string{"from=", "to=", "limit=1..5000"}
	lines := []string{"q=", "service=", "state=" + templateStates, "limit=1..1000"}
	return []route{
		{http.MethodGet, "/api/v1/status", nil, "the engine: series, budget, anomalies, state on disk", a.status},
		{http.MethodGet, "/api/v1/incidents", state, "incidents, the latest first", incidents},
		{http.MethodGet, "/api/v1/incidents/{id}", nil, "one incident", oneIncident},
		{http.MethodGet, "/api/v1/incidents/{id}/report", nil, "one incident as an HTML file to download", a.report},
		{http.MethodGet, "/api/v1/anomalies", state, "anomalies of all incidents, the latest first", anomalies},
		{http.MethodGet, "/api/v1/series", query, "series with their latest verdict, the highest score first", seriesList},
		{http.MethodGet, "/api/v1/series/{id}", nil, "one series: what its model knows, and why an anomaly is open or not", oneSeries},
		{http.MethodGet, "/api/v1/series/{id}/points", span, "the chart history of one series", a.points},
		{http.MethodGet, "/api/v1/templates", lines, "templates of log records, the anomalous first", a.templates},
		{http.MethodGet, "/api/v1/services", nil, "services with their latest rates, and what calls what", services},
		{http.MethodGet, "/api/v1/health", nil, "the share of points outside their interval, by service, for a day", a.health},
		{http.MethodGet, "/api/v1/pipelines", nil, "the collector's pipelines with live rates", a.flow},
		{http.MethodPost, "/api/v1/tap", nil, "the next few records that pass a component, without secrets", a.tap},
		{http.MethodGet, "/api/v1/config", nil, "the effective configuration, without secrets", a.config},
		{http.MethodGet, "/api/v1/backtests", nil, "the reports of auspex backtest in the configured directory", a.backtests},
		{http.MethodGet, "/api/v1/silences", nil, "silences in force, and who did what", silences},
		{http.MethodPost, "/api/v1/silences", nil, "adds a silence, given as JSON", addSilence},
		{http.MethodDelete, "/api/v1/silences/{id}", []string{"who="}, "removes a silence", removeSilence},
	}
}

// handler returns the handler of the page and of the whole API.
func (a *api) handler() (http.Handler, error) {
	mux := http.NewServeMux()
	index := struct {
		Version string  `json:"version"`
		Routes  []route `json:"routes"`
	}{a.about.Version, a.routes()}
	mux.Handle("/api/v1", methods{http.MethodGet: answers(nil, func(*http.Request, url.Values) (any, error) { return index, nil })})
	mux.Handle("/api/v1/stream", methods{http.MethodGet: http.HandlerFunc(a.stream)})
	paths := map[string]methods{}
	for _, r := range index.Routes {
		if paths[r.Path] == nil {
			paths[r.Path] = methods{}
			mux.Handle(r.Path, paths[r.Path])
		}
		paths[r.Path][r.Method] = answers(r.Parameters, func(req *http.Request, q url.Values) (any, error) {
			if a.readOnly && r.Method != http.MethodGet {
				return nil, &httpError{http.StatusForbidden, "this address is open to everyone: the API changes nothing here, bind it to 127.0.0.1 or configure auth"}
			}
			e, err := a.theEngine()
			if err != nil {
				return nil, err
			}
			return r.answer(e, req, q)
		})
	}
	if err := a.addPage(mux); err != nil {
		return nil, err
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		putError(w, http.StatusNotFound, fmt.Sprintf("there is nothing at %s: GET /api/v1 lists what there is", r.URL.Path))
	})
	return sameOriginOnly(mux), nil
}

// stream sends the status and the incidents whenever they change.
func (a *api) stream(w http.ResponseWriter, r *http.Request) {
	e, err := a.theEngine()
	if err != nil {
		putFailure(w, err)
		return
	}
	if !a.live.join() {
		w.Header().Set("Retry-After", "10")
		putError(w, http.StatusServiceUnavailable, fmt.Sprintf("%d pages are updated live, which is as many as there may be: close some, or raise max_clients", a.live.max))
		return
	}
	defer a.live.leave()
	if err := a.publish(e); err != nil {
		putFailure(w, err)
		return
	}
	a.live.serve(w, r)
}

// publish puts the latest state on the stream.
func (a *api) publish(e *engine.Engine) error {
	return errors.Join(a.live.publish("status", status{a.about, e.Status(), e.Crowd()}), a.live.publish("incidents", bulletinOf(e)))
}

func (a *api) theEngine() (*engine.Engine, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.engine != nil {
		return a.engine, nil
	}
	e, err := a.find()
	if err != nil {
		return nil, &httpError{http.StatusServiceUnavailable, "there is no engine to ask: " + err.Error()}
	}
	if e == nil {
		return nil, &httpError{http.StatusServiceUnavailable, "the engine is not there yet: ask again in a second"}
	}
	a.engine = e
	return e, nil
}

func (a *api) status(e *engine.Engine, _ *http.Request, _ url.Values) (any, error) {
	return status{a.about, e.Status(), e.Crowd()}, nil
}

func incidents(e *engine.Engine, _ *http.Request, q url.Values) (any, error) {
	state, err := stateOf(q)
	if err != nil {
		return nil, err
	}
	list := []incidentView{}
	for _, i := range e.Incidents(state) {
		list = append(list, viewOf(i))
	}
	return map[string][]incidentView{"incidents": list}, nil
}

func oneIncident(e *engine.Engine, r *http.Request, _ url.Values) (any, error) {
	i, err := incidentOf(e, r)
	if err != nil {
		return nil, err
	}
	return viewOf(i), nil
}

// incidentOf returns the incident that a path names.
func incidentOf(e *engine.Engine, r *http.Request) (incident.Incident, error) {
	id := r.PathValue("id")
	i, ok := e.Incident(id)
	if !ok {
		text := fmt.Sprintf("no incident has the id %q: GET /api/v1/incidents?state=all lists those that are remembered", id)
		return incident.Incident{}, &httpError{http.StatusNotFound, text}
	}
	return i, nil
}

// flow answers the pipelines of the collector, with the rates of their components where its own metrics can be read.
func (a *api) flow(_ *engine.Engine, r *http.Request, _ url.Values) (any, error) {
	p, _, err := a.configuration()
	if err != nil {
		return nil, err
	}
	f, err := p.read(r.Context(), a.client)
	if err != nil {
		f.Unavailable = err.Error()
	}
	f.Taps = a.taps.Places()
	return f, nil
}

func (a *api) config(*engine.Engine, *http.Request, url.Values) (any, error) {
	_, text, err := a.configuration()
	if err != nil {
		return nil, err
	}
	return map[string]string{"config": text}, nil
}

func anomalies(e *engine.Engine, _ *http.Request, q url.Values) (any, error) {
	state, err := stateOf(q)
	if err != nil {
		return nil, err
	}
	of := state
	if state == incident.StateClosed {
		of = "" // an open incident has closed anomalies too
	}
	list := []incident.Anomaly{}
	for _, i := range e.Incidents(of) {
		for _, an := range i.Anomalies {
			if state == "" || an.State == state {
				list = append(list, an)
			}
		}
	}
	slices.SortFunc(list, func(a, b incident.Anomaly) int {
		if c := b.Opened.Compare(a.Opened); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return map[string][]incident.Anomaly{"anomalies": list}, nil
}

func seriesList(e *engine.Engine, _ *http.Request, q url.Values) (any, error) {
	query := engine.SeriesQuery{Text: q.Get("q"), Service: q.Get("service"), Metric: q.Get("metric"), Statistic: q.Get("statistic")}
	if s := query.Statistic; s != "" && !slices.Contains(strings.Split(statisticNames, "|"), s) {
		return nil, badRequest("statistic is %q: it must be one of %s", s, statisticNames)
	}
	var err error
	if query.Limit, err = limitOf(q, 0, maxLimit); err != nil {
		return nil, err
	}
	return map[string][]engine.SeriesView{"series": orEmpty(e.Series(query))}, nil
}

// methods are the handlers of one path. What answers GET answers HEAD.
type methods map[string]http.Handler

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if h := m[method]; h != nil {
		h.ServeHTTP(w, r)
		return
	}
	names := slices.Sorted(maps.Keys(m))
	w.Header().Set("Allow", strings.Replace(strings.Join(names, ", "), http.MethodGet, "GET, HEAD", 1))
	putError(w, http.StatusMethodNotAllowed, r.Method+" is not supported: the API only answers "+strings.Join(names, " and ")+" here")
}

// answers makes a handler that refuses parameters which are not allowed, and writes the answer as JSON.
func answers(allowed []string, answer func(*http.Request, url.Values) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, err := parameters(r.URL.RawQuery, allowed)
		if err != nil {
			putFailure(w, err)
			return
		}
		v, err := answer(r, q)
		if err != nil {
			putFailure(w, err)
			return
		}
		if f, ok := v.(file); ok {
			w.Header().Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
			putAs(w, http.StatusOK, f.media, f.body)
			return
		}
		var body bytes.Buffer
		if err := json.NewEncoder(&body).Encode(v); err != nil {
			putError(w, http.StatusInternalServerError, "the answer cannot be written as JSON, please report this: "+err.Error())
			return
		}
		put(w, http.StatusOK, body.Bytes())
	})
}

// orEmpty makes a list that is null in JSON an empty one.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// configure tells the API the collector's configuration.
func (a *api) configure(p *pipelines, effective string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pipelines, a.effective = p, effective
}

// configuration returns what configure was told, and an error before that.
func (a *api) configuration() (*pipelines, string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pipelines == nil {
		return nil, "", &httpError{http.StatusServiceUnavailable, "the collector's configuration is not known yet: ask again in a second"}
	}
	return a.pipelines, a.effective, nil
}
