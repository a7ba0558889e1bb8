// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"github.com/auspex-otel/auspex/internal/conftree"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/mask"
	"github.com/auspex-otel/auspex/internal/tap"
)

// tapWithin is the time for which a tap waits for records.
const tapWithin = 10 * time.Second

// tapRequest is the body of a request for records. Records is 10 unless set.
type tapRequest struct {
	tap.Place
	Records int `json:"records"`
}

// tap answers the next records that pass a component, as soon as there are as many as
// requested or permitted, and otherwise those of tapWithin.
func (a *api) tap(_ *engine.Engine, r *http.Request, _ url.Values) (any, error) {
	q := tapRequest{Records: 10}
	if err := readBody(r, "a tap", &q); err != nil {
		return nil, err
	}
	if q.Records < 1 || q.Records > tap.MaxRecords {
		return nil, badRequest("records is %d, it must be from 1 to %d", q.Records, tap.MaxRecords)
	}
	t, err := a.taps.Open(q.Place, q.Records)
	switch {
	case errors.Is(err, tap.ErrNoPoint):
		return nil, &httpError{http.StatusNotFound, fmt.Sprintf("%s %q with signal %q cannot be tapped: GET /api/v1/pipelines lists what can, as taps", q.Kind, q.ID, q.Signal)}
	case err != nil:
		return nil, &httpError{http.StatusServiceUnavailable, fmt.Sprintf("%v: try again in %v", err, tapWithin)}
	}
	wait := time.NewTimer(tapWithin)
	defer wait.Stop()
	full := false
	select {
	case <-t.Full():
		full = true
	case <-wait.C:
	case <-r.Context().Done():
	case <-a.live.done:
	}
	return map[string]any{"records": orEmpty(t.Close()), "full": full}, nil
}

// maskOf returns a masker that also hides the patterns in logs::mask of the configured engine.
func maskOf(conf *confmap.Conf) (*mask.Masker, error) {
	patterns := []string{}
	extensions := conftree.Section(conf.ToStringMap(), "extensions")
	for id := range extensions {
		if conftree.Kind(id) == "anomaly_engine" {
			patterns = append(patterns, texts(conftree.Section(extensions, id, "logs")["mask"])...)
		}
	}
	return mask.New(patterns)
}
