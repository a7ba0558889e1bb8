// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// maxLimit bounds the series of one answer.
	maxLimit = 10_000
	// maxBody bounds the body of a request, in bytes.
	maxBody = 16 << 10
)

// What parameters may be, as the index and errors say it.
const (
	stateNames     = "open|closed|all"
	statisticNames = vocabulary.StatValue + "|" + vocabulary.StatRate + "|" + vocabulary.StatMean + "|" +
		vocabulary.StatP50 + "|" + vocabulary.StatP95 + "|" + vocabulary.StatP99 + "|" +
		vocabulary.StatCount + "|" + vocabulary.StatErrorRatio
	limitRange = "1..10000"
)

// httpError is an error with the status that it is answered with.
type httpError struct {
	status int
	text   string
}

func (e *httpError) Error() string { return e.text }

func badRequest(format string, args ...any) error {
	return &httpError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// parameters reads a query. Each parameter must be in allowed, whose entries
// are of the form name=values, and be there once.
func parameters(raw string, allowed []string) (url.Values, error) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, badRequest("the query cannot be read, escape it as in a URL: %v", err)
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i], _, _ = strings.Cut(a, "=")
	}
	unknown := []string{}
	for name, values := range q {
		switch {
		case !slices.Contains(names, name):
			unknown = append(unknown, strconv.Quote(name))
		case len(values) > 1:
			return nil, badRequest("parameter %s is there %d times: give it once", name, len(values))
		}
	}
	if len(unknown) == 0 {
		return q, nil
	}
	slices.Sort(unknown)
	known := "there are none here"
	if len(names) > 0 {
		known = "there are " + strings.Join(names, ", ")
	}
	return nil, badRequest("unknown parameter %s: %s", strings.Join(unknown, ", "), known)
}

// stateOf reads the parameter state: open if it is absent, "" for all.
func stateOf(q url.Values) (incident.State, error) {
	if !q.Has("state") {
		return incident.StateOpen, nil
	}
	switch s := q.Get("state"); s {
	case string(incident.StateOpen), string(incident.StateClosed):
		return incident.State(s), nil
	case "all":
		return "", nil
	default:
		return "", badRequest("state is %q: it must be one of %s", s, stateNames)
	}
}

// readBody reads the JSON body of a request into a value, which errors call what.
func readBody(r *http.Request, what string, into any) error {
	// A web page may send a form anywhere. What says that it is JSON it may send only
	// where it is allowed to, and here it is not.
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return &httpError{http.StatusUnsupportedMediaType, "the body must be JSON: send it with Content-Type: application/json"}
	}
	d := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return badRequest("the body cannot be read as %s: %v", what, err)
	}
	return nil
}

func putFailure(w http.ResponseWriter, err error) {
	if h, ok := errors.AsType[*httpError](err); ok {
		putError(w, h.status, h.text)
		return
	}
	putError(w, http.StatusInternalServerError, err.Error())
}

// putError answers {"error": text}; text says what is wrong, and what to do.
func putError(w http.ResponseWriter, status int, text string) {
	body, _ := json.Marshal(map[string]string{"error": text}) // strings always can
	put(w, status, append(body, '\n'))
}

// serverError answers what is refused before a request gets to the API.
func serverError(w http.ResponseWriter, _ *http.Request, text string, status int) {
	putError(w, status, text)
}

func put(w http.ResponseWriter, status int, body []byte) {
	putAs(w, status, "application/json", body)
}

func putAs(w http.ResponseWriter, status int, media string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // the client may be gone; a policy without scripts goes with every page
}
