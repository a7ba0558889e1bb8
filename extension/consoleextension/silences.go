// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"go.opentelemetry.io/collector/client"

	"github.com/auspex-otel/auspex/internal/engine"
)

func silences(e *engine.Engine, _ *http.Request, _ url.Values) (any, error) {
	return e.Feedback(), nil
}

func addSilence(e *engine.Engine, r *http.Request, _ url.Values) (any, error) {
	var f engine.Feedback
	if err := readBody(r, "a silence", &f); err != nil {
		return nil, err
	}
	if f.ID != "" || !f.At.IsZero() {
		return nil, badRequest("id and at are given by the engine: leave them out")
	}
	f.Who = author(r, f.Who)
	f, err := e.AddFeedback(f)
	if err != nil {
		return nil, badRequest("%v", err)
	}
	return f, nil
}

func removeSilence(e *engine.Engine, r *http.Request, q url.Values) (any, error) {
	f, err := e.RemoveFeedback(r.PathValue("id"), author(r, q.Get("who")))
	if errors.Is(err, engine.ErrNoFeedback) {
		return nil, &httpError{http.StatusNotFound, fmt.Sprintf("no silence has the id %q: GET /api/v1/silences lists those in force", r.PathValue("id"))}
	}
	if err != nil {
		return nil, badRequest("%v", err)
	}
	return f, nil
}

// author returns who sent a request, as the authenticator of the server states it, and else what the request states.
func author(r *http.Request, stated string) string {
	auth := client.FromContext(r.Context()).Auth
	if auth == nil {
		return stated
	}
	for _, name := range [...]string{"username", "name", "email", "subject"} {
		if who, ok := auth.GetAttribute(name).(string); ok && who != "" {
			return who
		}
	}
	return stated
}
