// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// refusal is an error response in the format of Elasticsearch.
type refusal struct {
	status int
	kind   string // error type of Elasticsearch
	text   string
	reason string // value of the counter's attribute
}

func (e *refusal) Error() string { return e.text }

// Error types that clients know.
const (
	kindArgument = "illegal_argument_exception"
	kindBusy     = "es_rejected_execution_exception"
	kindMedia    = "media_type_header_exception"
	kindNotFound = "resource_not_found_exception"
	kindParsing  = "document_parsing_exception"
	kindSecurity = "security_exception"
	kindTooLarge = "content_too_long_exception"
)

func (e *refusal) body() map[string]any {
	cause := map[string]any{"type": e.kind, "reason": e.text}
	return map[string]any{"error": map[string]any{"root_cause": []any{cause}, "type": e.kind, "reason": e.text}, "status": e.status}
}

// refuse sends an error response and counts it.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, e *refusal) {
	s.failed(r, e.reason, e)
	h := w.Header()
	switch e.status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(int((s.cfg.RetryAfter+time.Second-1)/time.Second)))
	case http.StatusUnauthorized:
		h.Add("WWW-Authenticate", `Basic realm="security", charset="UTF-8"`)
		h.Add("WWW-Authenticate", "ApiKey")
		h.Add("WWW-Authenticate", "Bearer")
	case http.StatusRequestEntityTooLarge, http.StatusRequestTimeout:
		// The rest of the request is not read.
		h.Set("Connection", "close")
	}
	s.write(w, r, e.status, e.body())
}

// turnedAway responds for requests that the collector's HTTP server rejects: wrong credentials or
// encodings.
func (s *server) turnedAway(w http.ResponseWriter, r *http.Request, text string, status int) {
	e := &refusal{status: status, kind: kindArgument, text: text, reason: reasonEncoding}
	if status == http.StatusUnauthorized {
		e.kind, e.reason = kindSecurity, reasonUnauthorized
	}
	s.refuse(w, r, e)
}

// selection returns the parts of the answer that the client selects with filter_path. serve has
// validated it.
func selection(r *http.Request) esbulk.Selection {
	s, _ := esbulk.Select(r.URL.Query().Get("filter_path"))
	return s
}

// write sends the selected parts of body; a nil body sends none.
func (s *server) write(w http.ResponseWriter, r *http.Request, status int, body map[string]any) {
	if body == nil || r.Method == http.MethodHead {
		s.send(w, r, status, nil)
		return
	}
	if status < 300 {
		body = selection(r).Of(body)
	}
	// The content of an answer can always be encoded as JSON.
	text, _ := json.Marshal(body)
	s.send(w, r, status, text)
}

// send writes an answer within answerTimeout.
func (s *server) send(w http.ResponseWriter, r *http.Request, status int, text []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTimeout))
	media, err := mediaType(r)
	if err != nil {
		media = "application/json"
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, err = w.Write(text)
	if err == nil {
		err = flush(w)
	}
	if err != nil && r.Method != http.MethodHead {
		s.failed(r, reasonAnswer, err)
	}
}

// flush sends the connection's buffer. Without it a short answer leaves after the last error
// check. A ResponseController is not sufficient, because writers that wrap the connection hide
// its error.
func flush(w http.ResponseWriter) error {
	for {
		switch inner := w.(type) {
		case interface{ FlushError() error }:
			return inner.FlushError()
		case interface{ Unwrap() http.ResponseWriter }:
			w = inner.Unwrap()
		default:
			return nil
		}
	}
}

// compatible matches a media type with the API version of the client.
var compatible = regexp.MustCompile(`^application/vnd\.elasticsearch\+(?:json|x-ndjson); *compatible-with=(\d+)$`)

// mediaType returns the media type of the answer, in the client's API version if it names one. It
// returns an error for requests that Elasticsearch rejects. Documents sent as text/plain, as a
// form, or without a type are accepted from log shippers but not from web pages, because browsers
// send these types to other sites without asking them.
func mediaType(r *http.Request) (string, error) {
	answer := "application/json"
	for _, name := range []string{"Content-Type", "Accept"} {
		for header := range strings.SplitSeq(r.Header.Get(name), ",") {
			media := strings.ToLower(strings.TrimSpace(header))
			if m := compatible.FindStringSubmatch(media); m != nil {
				if m[1] != "7" && m[1] != "8" && m[1] != "9" {
					return "", errors.New("compatible-with=" + m[1] + " is not supported, use compatible-with=7, 8, or 9")
				}
				answer = "application/vnd.elasticsearch+json;compatible-with=" + m[1]
				continue
			}
			if name == "Content-Type" && !isJSON(r, media) {
				return "", errors.New("Content-Type header [" + header + "] is not supported")
			}
		}
	}
	return answer, nil
}

// isJSON reports whether the body of a request must be read as JSON.
func isJSON(r *http.Request, media string) bool {
	media, _, _ = strings.Cut(media, ";")
	switch strings.TrimSpace(media) {
	case "application/json", "application/x-ndjson":
		return true
	case "", "text/plain", "application/x-www-form-urlencoded":
		return r.ContentLength == 0 || !ofWebPage(r)
	}
	return false
}

// ofWebPage reports whether a browser sent a request. Browsers set this header on every request
// that may change data.
func ofWebPage(r *http.Request) bool {
	return r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != ""
}
