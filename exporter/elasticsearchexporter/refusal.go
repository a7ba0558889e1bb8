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

// refusal is an error response to a whole request.
type refusal struct {
	status       int
	kind, reason string
}

// Error describes the response, with a remedy if it is known.
func (r *refusal) Error() string {
	hint := ""
	switch r.status {
	case http.StatusUnauthorized:
		hint = ": check user and password, api_key, or auth"
	case http.StatusForbidden:
		hint = ": grant the user or the key the privileges to write"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		hint = ": check that endpoints is the address of Elasticsearch"
	}
	return fmt.Sprintf("Elasticsearch answered %d %s%s (%s: %s)", r.status, http.StatusText(r.status), hint, r.kind, r.reason)
}

// body reports whether the content was rejected, so that a part of the request may succeed.
func (r *refusal) body() bool {
	return r.status == http.StatusBadRequest || r.status == http.StatusRequestEntityTooLarge
}

// readRefusal parses an error response. A proxy may have sent it.
func readRefusal(res *esapi.Response) *refusal {
	r := &refusal{status: res.StatusCode, kind: "http_" + strconv.Itoa(res.StatusCode)}
	if to := res.Header.Get("Location"); res.StatusCode/100 == 3 && to != "" {
		r.reason = "redirects are not followed: set endpoints to " + excerpt.Of(to)
		return r
	}
	text, _ := io.ReadAll(io.LimitReader(esbulk.Clip(res.Body), 64<<10)) // a partial body is sufficient
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
