// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// action is one document as the fake server parsed it.
type action struct {
	Op, Index, ID string
	Body          string
}

// reply is the answer to one document: a status, and the error's type and reason for an error.
type reply struct {
	status       int
	kind, reason string
}

// server is a fake _bulk server for faults that a real server does not produce on demand. The
// behavior of Elasticsearch is tested in e2e/elastic.
type server struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	requests [][]action
	puts     []string
	// whole handles the nth request itself if it returns true.
	whole func(n int, actions []action, w http.ResponseWriter) bool
	// each returns the answer to a document of the nth request.
	each func(n int, a action) reply
	// template returns the status of a template installation; nil means 200.
	template func() int
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP responds like Elasticsearch.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if name, ok := strings.CutPrefix(r.URL.Path, "/_index_template/"); ok {
		s.puts = append(s.puts, name)
		if s.template != nil {
			w.WriteHeader(s.template())
		}
		_, _ = io.WriteString(w, `{"error":{"type":"a_type","reason":"a reason"}}`)
		return
	}
	actions := s.read(r)
	n := len(s.requests)
	s.requests = append(s.requests, actions)
	if s.whole != nil && s.whole(n, actions, w) {
		return
	}
	var items []string
	for _, a := range actions {
		answer := reply{status: http.StatusCreated}
		if s.each != nil {
			answer = s.each(n, a)
		}
		item := fmt.Sprintf(`{%q:{"status":%d`, a.Op, answer.status)
		if answer.kind != "" {
			item += fmt.Sprintf(`,"error":{"type":%q,"reason":%q}`, answer.kind, answer.reason)
		}
		items = append(items, item+"}}")
	}
	_, _ = fmt.Fprintf(w, `{"errors":true,"items":[%s]}`, strings.Join(items, ","))
}

func (s *server) read(r *http.Request) (actions []action) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			s.t.Errorf("gzip: %v", err)
			return nil
		}
		body = unzipped
	}
	text, err := io.ReadAll(body)
	if err != nil {
		s.t.Errorf("body: %v", err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		var head map[string]struct {
			Index string `json:"_index"`
			ID    string `json:"_id"`
		}
		if err := json.Unmarshal([]byte(lines[i]), &head); err != nil {
			s.t.Errorf("action %s: %v", lines[i], err)
		}
		for op, h := range head {
			actions = append(actions, action{Op: op, Index: h.Index, ID: h.ID, Body: lines[i+1]})
		}
	}
	return actions
}

// seen returns the number of documents in each request.
func (s *server) seen() (counts []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		counts = append(counts, len(r))
	}
	return counts
}
