// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/engine/census"
	"github.com/auspex-otel/auspex/internal/incident"
)

// about is what the console adds to the engine's status.
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
	about about
	find  func() (*engine.Engine, error)
	// readOnly rejects requests that change the engine; every client may read.
	readOnly bool

	mu     sync.Mutex
	engine *engine.Engine
}

func newAPI(a about, find func() (*engine.Engine, error)) *api {
	return &api{about: a, find: find}
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
	query := []string{"service=", "metric=", "statistic=" + statisticNames, "limit=" + limitRange}
	return []route{
		{http.MethodGet, "/api/v1/status", nil, "the engine: series, budget, anomalies, state on disk", a.status},
		{http.MethodGet, "/api/v1/incidents", state, "incidents, the latest first", incidents},
		{http.MethodGet, "/api/v1/incidents/{id}", nil, "one incident", oneIncident},
		{http.MethodGet, "/api/v1/anomalies", state, "anomalies of all incidents, the latest first", anomalies},
		{http.MethodGet, "/api/v1/series", query, "series with their latest verdict, the highest score first", seriesList},
		{http.MethodGet, "/api/v1/silences", nil, "silences in force, and who did what", silences},
		{http.MethodPost, "/api/v1/silences", nil, "adds a silence, given as JSON", addSilence},
		{http.MethodDelete, "/api/v1/silences/{id}", []string{"who="}, "removes a silence", removeSilence},
	}
}

// handler returns the handler of the whole API.
func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	index := struct {
		Version string  `json:"version"`
		Routes  []route `json:"routes"`
	}{a.about.Version, a.routes()}
	mux.Handle("/{$}", methods{http.MethodGet: answers(nil, func(*http.Request, url.Values) (any, error) { return index, nil })})
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
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		putError(w, http.StatusNotFound, fmt.Sprintf("there is nothing at %s: GET / lists what there is", r.URL.Path))
	})
	return mux
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
	return map[string][]incident.Incident{"incidents": orEmpty(e.Incidents(state))}, nil
}

func oneIncident(e *engine.Engine, r *http.Request, _ url.Values) (any, error) {
	id := r.PathValue("id")
	i, ok := e.Incident(id)
	if !ok {
		text := fmt.Sprintf("no incident has the id %q: GET /api/v1/incidents?state=all lists those that are remembered", id)
		return nil, &httpError{http.StatusNotFound, text}
	}
	return i, nil
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
	query := engine.SeriesQuery{Service: q.Get("service"), Metric: q.Get("metric"), Statistic: q.Get("statistic")}
	if s := query.Statistic; s != "" && !slices.Contains(strings.Split(statisticNames, "|"), s) {
		return nil, badRequest("statistic is %q: it must be one of %s", s, statisticNames)
	}
	if text := q.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxLimit {
			return nil, badRequest("limit is %q: it must be a number, %s", text, limitRange)
		}
		query.Limit = limit
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
