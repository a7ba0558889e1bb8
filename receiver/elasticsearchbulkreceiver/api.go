// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// request is a client request with its address split into parts.
type request struct {
	*http.Request
	path []string
}

func (r *request) part(i int) string {
	if i < len(r.path) {
		return r.path[i]
	}
	return ""
}

func (r *request) reads() bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// serve handles a request to any address.
func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	if _, err := mediaType(r); err != nil {
		s.refuse(w, r, &refusal{http.StatusNotAcceptable, kindMedia, err.Error(), reasonMediaType})
		return
	}
	path, err := split(r.URL)
	if err == nil {
		_, err = esbulk.Select(r.URL.Query().Get("filter_path"))
	}
	if err != nil {
		s.refuse(w, r, &refusal{http.StatusBadRequest, kindArgument, err.Error(), reasonUnsupported})
		return
	}
	req := &request{Request: r, path: path}
	if s.writes(w, req) {
		return
	}
	status, body := s.answer(req)
	if status == 0 {
		s.refuse(w, r, &refusal{
			http.StatusBadRequest, kindArgument,
			"no handler found for uri [" + r.URL.Path + "] and method [" + r.Method + "]: the receiver supports writes of documents and no searches", reasonUnsupported,
		})
		return
	}
	s.write(w, r, status, body)
}

// split splits an address at its slashes. Slashes in the name of an index are escaped.
func split(u *url.URL) (parts []string, err error) {
	for part := range strings.SplitSeq(strings.Trim(u.EscapedPath(), "/"), "/") {
		name, err := url.PathUnescape(part)
		if err != nil {
			return nil, err
		}
		if name != "" {
			parts = append(parts, name)
		}
	}
	return parts, nil
}

type object = map[string]any

// answer returns the status and body for the requests that clients send before they write.
// Nothing is stored: creations are acknowledged, and the created object is not found later.
// Indices and data streams always exist. Status 0 means that the request is not supported.
func (s *server) answer(r *request) (int, object) {
	switch first := r.part(0); first {
	case "":
		if r.reads() {
			return http.StatusOK, s.info()
		}
	case "_license":
		return http.StatusOK, object{"license": license()}
	case "_xpack":
		return http.StatusOK, xpack(r.part(1))
	case "_cluster":
		return s.cluster(r.part(1))
	case "_nodes":
		return http.StatusOK, s.nodes(r)
	case "_ilm":
		if r.part(1) == "status" {
			return http.StatusOK, object{"operation_mode": "RUNNING"}
		}
		return s.kept(r, r.part(1) == "policy" && r.part(2) != "")
	case "_index_template", "_component_template", "_template":
		return s.kept(r, true)
	case "_ingest":
		return s.kept(r, r.part(1) == "pipeline" && r.part(2) != "_simulate" && r.part(3) == "")
	case "_alias", "_aliases", "_data_stream", "_flush", "_refresh":
		return s.index(r, r.part(1))
	default:
		if !strings.HasPrefix(first, "_") {
			return s.index(r, first)
		}
	}
	return 0, nil
}

// kept responds for objects that Elasticsearch stores and this receiver does not: templates,
// policies, pipelines.
func (s *server) kept(r *request, known bool) (int, object) {
	switch {
	case !known:
		return 0, nil
	case r.reads():
		e := &refusal{status: http.StatusNotFound, kind: kindNotFound, text: "[" + strings.Join(r.path, "/") + "] does not exist: the receiver does not store templates, policies, and pipelines"}
		return e.status, e.body()
	}
	s.logger.Info("A client created an object that the receiver does not store; create it in Elasticsearch",
		zap.String("client", r.RemoteAddr), zap.String("method", r.Method), zap.Strings("path", r.path))
	return http.StatusOK, object{"acknowledged": true}
}

// index responds for indices, data streams, and aliases, which always exist. It does not handle
// requests that may be documents.
func (s *server) index(r *request, name string) (int, object) {
	first, operation := r.part(0), r.part(1)
	if first != name {
		operation = first
	}
	switch {
	case strings.HasPrefix(name, "_"):
	case operation == "_refresh" || operation == "_flush":
		return http.StatusOK, object{"_shards": object{"total": 1, "successful": 1, "failed": 0}}
	case operation == "_data_stream" && r.reads():
		return http.StatusOK, object{"data_streams": []any{object{"name": name, "timestamp_field": object{"name": "@timestamp"}, "status": "GREEN"}}}
	case !setsUp(operation):
	case r.reads():
		return http.StatusOK, object{name: object{"aliases": object{}, "mappings": object{}, "settings": object{"index": object{}}}}
	case r.Method == http.MethodPut, r.Method == http.MethodPost && operation != "":
		return http.StatusOK, object{"acknowledged": true, "shards_acknowledged": true, "index": name}
	}
	return 0, nil
}

// setsUp reports whether an operation sets up an index; "" creates it.
func setsUp(operation string) bool {
	switch operation {
	case "", "_alias", "_aliases", "_data_stream", "_mapping", "_mappings", "_settings":
		return true
	}
	return false
}

const (
	clusterName = "auspex"
	clusterUUID = "auspex0000000000000000"
)

func (s *server) info() object {
	return object{
		"name": clusterName, "cluster_name": clusterName, "cluster_uuid": clusterUUID,
		"version": object{
			"number": s.cfg.Version, "build_flavor": "default", "build_type": "tar", "build_hash": "auspex", "build_date": "2026-01-01T00:00:00.000000000Z",
			"build_snapshot": false, "lucene_version": "10.0.0", "minimum_wire_compatibility_version": "8.19.0", "minimum_index_compatibility_version": "8.0.0",
		},
		"tagline": "You Know, for Search",
	}
}

func license() object {
	return object{
		"status": "active", "uid": clusterUUID, "type": "basic", "mode": "basic", "issue_date": "2026-01-01T00:00:00.000Z",
		"issue_date_in_millis": 1767225600000, "max_nodes": 1000, "issued_to": clusterName, "issuer": "elasticsearch", "start_date_in_millis": -1,
	}
}

func xpack(part string) object {
	if part == "license" {
		return object{"license": license()}
	}
	features := object{}
	for _, name := range []string{"data_streams", "ilm", "monitoring", "security"} {
		features[name] = object{"available": true, "enabled": name != "monitoring" && name != "security"}
	}
	return object{
		"build":    object{"hash": "auspex", "date": "2026-01-01T00:00:00.000Z"},
		"license":  object{"uid": clusterUUID, "type": "basic", "mode": "basic", "status": "active"},
		"features": features, "tagline": "You know, for X",
	}
}

func (s *server) cluster(part string) (int, object) {
	switch part {
	case "health":
		return http.StatusOK, object{
			"cluster_name": clusterName, "status": "green", "timed_out": false, "number_of_nodes": 1, "number_of_data_nodes": 1,
			"active_primary_shards": 1, "active_shards": 1, "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0,
			"delayed_unassigned_shards": 0, "number_of_pending_tasks": 0, "number_of_in_flight_fetch": 0,
			"task_max_waiting_in_queue_millis": 0, "active_shards_percent_as_number": 100.0,
		}
	case "settings":
		return http.StatusOK, object{"persistent": object{}, "transient": object{}, "defaults": object{}}
	}
	return 0, nil
}

// nodes describes this server, by the address that the client used, to clients that sniff.
func (s *server) nodes(r *request) object {
	major, _ := strconv.Atoi(strings.SplitN(s.cfg.Version, ".", 2)[0])
	return object{
		"_nodes": object{"total": 1, "successful": 1, "failed": 0}, "cluster_name": clusterName,
		"nodes": object{clusterUUID: object{
			"name": clusterName, "version": s.cfg.Version, "major": major, "roles": []string{"data", "ingest", "master"},
			"http": object{"publish_address": r.Host, "bound_address": []string{r.Host}},
		}},
	}
}
