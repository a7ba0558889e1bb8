// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/auspex-otel/auspex/internal/excerpt"
	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// refusal is an answer that is not a success, to a request as a whole.
type refusal struct {
	status       int
	kind, reason string
}

// Error says what was answered, and what to do where that is known.
func (r *refusal) Error() string {
	hint := ""
	switch r.status {
	case http.StatusUnauthorized:
		hint = ": check user and password, api_key or auth"
	case http.StatusForbidden:
		hint = ": the user or the key may not do this"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		hint = ": is this the address of Elasticsearch?"
	}
	return fmt.Sprintf("Elasticsearch answers %d %s%s (%s: %s)", r.status, http.StatusText(r.status), hint, r.kind, r.reason)
}

// body tells whether the request's own text was refused, so that a part of it may fare better.
func (r *refusal) body() bool {
	return r.status == http.StatusBadRequest || r.status == http.StatusRequestEntityTooLarge
}

// readRefusal reads an answer that is not a success. It need not come from Elasticsearch itself.
func readRefusal(res *esapi.Response) *refusal {
	r := &refusal{status: res.StatusCode, kind: "http_" + strconv.Itoa(res.StatusCode)}
	if to := res.Header.Get("Location"); res.StatusCode/100 == 3 && to != "" {
		r.reason = "redirects are not followed: set endpoints to " + excerpt.Of(to)
		return r
	}
	text, _ := io.ReadAll(io.LimitReader(esbulk.Clip(res.Body), 64<<10)) // what there is of it will do
	var answer struct {
		Error struct {
			Type   string `json:"type"`
			Reason string `json:"reason"`
		} `json:"error"`
	}
	if json.Unmarshal(text, &answer) == nil && answer.Error.Type != "" {
		r.kind, r.reason = answer.Error.Type, answer.Error.Reason
		return r
	}
	r.reason = excerpt.Of(text)
	return r
}
