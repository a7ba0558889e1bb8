// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// writeRoute is an address that writes documents.
type writeRoute struct {
	path    []string // {id} matches any name; {index}, {type}, and {name} match names that do not begin with _
	methods []string
	op      esbulk.Op // of a single document; "" is _bulk
}

var (
	post      = []string{http.MethodPost}
	postOrPut = []string{http.MethodPost, http.MethodPut}
)

// writeRoutes lists the routes of Elasticsearch's rest-api-spec for bulk, index, create, and
// update, with the types of version 7.
var writeRoutes = []writeRoute{
	route("_bulk", postOrPut, ""),
	route("{index}/_bulk", postOrPut, ""),
	route("{index}/{id}/_bulk", postOrPut, ""),
	route("{index}/_doc", post, esbulk.Index),
	route("{index}/_doc/{id}", postOrPut, esbulk.Index),
	route("{index}/_create/{id}", postOrPut, esbulk.Create),
	route("{index}/_update/{id}", post, esbulk.Update),
	route("{index}/{type}", post, esbulk.Index),
	route("{index}/{type}/{name}", postOrPut, esbulk.Index),
	route("{index}/{type}/{name}/_create", postOrPut, esbulk.Create),
	route("{index}/{type}/{name}/_update", post, esbulk.Update),
}

func route(path string, methods []string, op esbulk.Op) writeRoute {
	return writeRoute{strings.Split(path, "/"), methods, op}
}

func (w *writeRoute) matches(path []string) bool {
	if len(path) != len(w.path) {
		return false
	}
	for i, part := range w.path {
		switch {
		case part == "{id}":
		case strings.HasPrefix(part, "{"):
			if strings.HasPrefix(path[i], "_") {
				return false
			}
		case part != path[i]:
			return false
		}
	}
	return true
}

// writes serves a request that writes documents. It returns false for other requests.
func (s *server) writes(w http.ResponseWriter, r *request) bool {
	for i := range writeRoutes {
		to := &writeRoutes[i]
		switch {
		case !to.matches(r.path):
			continue
		case !slices.Contains(to.methods, r.Method) && (to.op != "" && (r.reads() || r.Method == http.MethodDelete)):
			return false // Documents are neither found nor deleted here.
		case !slices.Contains(to.methods, r.Method):
			w.Header().Set("Allow", strings.Join(to.methods, ", "))
			s.refuse(w, r.Request, &refusal{http.StatusMethodNotAllowed, kindArgument, "Incorrect HTTP method for uri [" + r.URL.Path + "], allowed: [" + strings.Join(to.methods, ", ") + "]", reasonUnsupported})
		case to.op == "":
			s.bulk(w, r)
		default:
			s.document(w, r, to.op)
		}
		return true
	}
	return false
}

// document serves a request with one document. The response equals that of its item in _bulk.
func (s *server) document(w http.ResponseWriter, r *request, op esbulk.Op) {
	ticket, ok := s.enter(w, r)
	if !ok {
		return
	}
	defer ticket.Leave()
	item := esbulk.Item{Action: esbulk.Action{Op: op, Index: r.path[0], ID: r.part(2), Pipeline: r.URL.Query().Get("pipeline")}}
	if op == esbulk.Index && r.URL.Query().Get("op_type") == string(esbulk.Create) {
		item.Op = esbulk.Create
	}
	var text bytes.Buffer
	if err := ticket.ReadAll(&text, s.body(w, r, s.cfg.Limits.ItemBytes)); err != nil {
		s.refuse(w, r.Request, describe(err))
		return
	}
	item.Document = text.Bytes()
	if item.Problem = item.CheckNames(); item.Problem == nil {
		item.Values, item.Problem = esbulk.CheckDocument(item.Document, s.limits())
	}
	d := newDelivery(r.Context(), s, ticket)
	if err := d.take(item); err != nil {
		s.refuse(w, r.Request, describe(err))
		return
	}
	d.handOver()
	d.count()
	out := &d.outcomes[0]
	if out.Status >= http.StatusMultipleChoices {
		reason := reasonItem
		if out.Status == http.StatusTooManyRequests {
			reason = reasonRetryable
		}
		s.refuse(w, r.Request, &refusal{out.Status, out.Type, out.Reason, reason})
		return
	}
	if out.ID == "" {
		out.ID = d.ids.next()
	}
	s.write(w, r.Request, out.Status, object{
		"_index": out.Index, "_id": out.ID, "_version": 1, "result": out.Op.Done(),
		"_shards": object{"total": 1, "successful": 1, "failed": 0}, "_seq_no": 0, "_primary_term": 1,
	})
}
