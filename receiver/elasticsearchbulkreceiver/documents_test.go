// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const ofJSON = "Content-Type: application/json"

// TestWriteAPIs covers every write address of Elasticsearch's rest-api-spec (versions 7 to 9):
// the document is kept, or the request is rejected.
func TestWriteAPIs(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, nil)
	document, bulk, update := said("m"), `{"create":{"_index":"shop"}}`+"\n"+said("m")+"\n", `{"doc":`+said("m")+`}`
	for _, w := range []struct {
		api, ask, body string
		status         int // 200 and 201: the document is kept
		says           string
	}{
		{"bulk", "POST /_bulk", bulk, 200, `"status":201`},
		{"bulk", "PUT /_bulk", bulk, 200, `"status":201`},
		{"bulk", "POST /shop/_bulk", bulk, 200, `"status":201`},
		{"bulk", "PUT /shop/_bulk", bulk, 200, `"status":201`},
		{"bulk, version 7", "POST /shop/event/_bulk", bulk, 200, `"status":201`},
		{"bulk, version 7", "PUT /shop/_doc/_bulk", bulk, 200, `"status":201`},
		{"index", "POST /shop/_doc", document, 201, `"result":"created"`},
		{"index", "POST /shop/_doc/1", document, 201, `"_id":"1"`},
		{"index", "PUT /shop/_doc/1", document, 201, `"_index":"shop"`},
		{"index", "PUT /shop/_doc/1?op_type=create", document, 201, `"_seq_no":0`},
		{"index", "PUT /shop/_doc/a%2Fb", document, 201, `"_id":"a/b"`},
		{"index", "PUT /shop/_doc/1?filter_path=_id", document, 201, `{"_id":"1"}`},
		{"index", "PUT /shop/_doc", document, 405, "allowed: [POST]"},
		{"index, version 7", "POST /shop/event", document, 201, `"result":"created"`},
		{"index, version 7", "POST /shop/event/1", document, 201, `"_id":"1"`},
		{"index, version 7", "PUT /shop/event/1", document, 201, `"_id":"1"`},
		{"index, version 7", "PUT /shop/event", document, 405, "allowed: [POST]"},
		{"create", "POST /shop/_create/1", document, 201, `"_id":"1"`},
		{"create", "PUT /shop/_create/1", document, 201, `"result":"created"`},
		{"create, version 7", "POST /shop/event/1/_create", document, 201, `"_id":"1"`},
		{"create, version 7", "PUT /shop/event/1/_create", document, 201, `"_id":"1"`},
		{"create", "POST /shop/_create", document, 400, "no handler found"},
		{"update", "POST /shop/_update/1", update, 200, `"result":"updated"`},
		{"update", "POST /shop/_update/1", document, 400, "neither doc nor upsert"},
		{"update", "PUT /shop/_update/1", update, 405, "allowed: [POST]"},
		{"update, version 7", "POST /shop/event/1/_update", update, 200, `"_id":"1"`},
		{"delete", "DELETE /shop/_doc/1", "", 400, "no handler found"},
		{"delete, version 7", "DELETE /shop/event/1", "", 400, "no handler found"},
		{"delete_by_query", "POST /shop/_delete_by_query", `{"query":{"match_all":{}}}`, 400, "no handler found"},
		{"delete_by_query, version 7", "POST /shop/event/_delete_by_query", `{"query":{"match_all":{}}}`, 400, "no handler found"},
		{"delete_by_query_rethrottle", "POST /_delete_by_query/1/_rethrottle", "", 400, "no handler found"},
		{"update_by_query", "POST /shop/_update_by_query", `{}`, 400, "no handler found"},
		{"update_by_query, version 7", "POST /shop/event/_update_by_query", `{}`, 400, "no handler found"},
		{"update_by_query_rethrottle", "POST /_update_by_query/1/_rethrottle", "", 400, "no handler found"},
		{"reindex", "POST /_reindex", `{"source":{},"dest":{}}`, 400, "no handler found"},
		{"reindex_rethrottle", "POST /_reindex/1/_rethrottle", "", 400, "no handler found"},
		{"monitoring.bulk", "POST /_monitoring/bulk", bulk, 400, "no handler found"},
		{"monitoring.bulk", "PUT /_monitoring/event/bulk", bulk, 400, "no handler found"},
		{"arrow.bulk", "POST /_arrow/_bulk", bulk, 400, "no handler found"},
		{"ml.post_data", "POST /_ml/anomaly_detectors/job/_data", document, 400, "no handler found"},
		{"search_application.post_behavioral_analytics_event", "POST /_application/analytics/shop/event/page_view", document, 400, "no handler found"},
		{"indices.create", "POST /shop", document, 400, "no handler found"},
	} {
		before := len(next.accepted())
		method, path, _ := strings.Cut(w.ask, " ")
		a := r.do(method, path, strings.NewReader(w.body), ofJSON)
		assert.Equal(t, w.status, a.StatusCode, "%s: %s: %s", w.api, w.ask, a.text)
		assert.Contains(t, a.text, w.says, "%s: %s", w.api, w.ask)
		kept := 0
		if w.status < 300 {
			kept = 1
		}
		assert.Len(t, next.accepted(), before+kept, "%s: %s", w.api, w.ask)
	}
}

// TestNoDocumentIsLost sends a document to many addresses with every method. A 2xx answer means
// that it was kept, unless the address has another purpose.
func TestNoDocumentIsLost(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, nil)
	// These addresses are acknowledged without keeping a document: index setup and queries.
	sets := []string{"/_alias", "/_aliases", "/_mapping", "/_mappings", "/_settings", "/_refresh", "/_flush", "/_template", "/_index_template", "/_component_template", "/_data_stream"}
	names := []string{"shop", "event", "1", "_doc", "_create", "_update", "_bulk", "_mapping", "_settings", "_alias", "_aliases", "_data_stream", "_refresh", "_template", "_search", "_close", "_rollover", "_monitoring"}
	check := func(method, path string) {
		before := len(next.accepted())
		w := httptest.NewRecorder()
		req := httptest.NewRequest(method, path, strings.NewReader(said("m")))
		req.Header.Set("Content-Type", "application/json")
		r.serve(w, req)
		if w.Code >= 300 || len(next.accepted()) > before {
			return
		}
		setup := method == "PUT" && strings.Count(path, "/") == 1
		for _, s := range sets {
			setup = setup || strings.Contains(path+"/", s+"/")
		}
		assert.True(t, setup, "%s %s: %s", method, path, w.Body)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
		check(method, "/")
		for _, one := range names {
			check(method, "/"+one)
			for _, two := range names {
				check(method, "/"+one+"/"+two)
				for _, three := range names {
					check(method, "/"+one+"/"+two+"/"+three)
				}
			}
		}
	}
}

func TestDocumentsGoWhereTheyShould(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, nil)
	r.do("PUT", "/shop/_doc/7?pipeline=p", strings.NewReader("{\n\"message\":\n\"pretty\"}\n"), ofJSON)
	assert.Equal(t, []string{"pretty"}, next.accepted())
	attributes := next.logs[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
	assert.Equal(t, "shop", attributes[vocabulary.ElasticIndex])
	assert.Equal(t, "p", attributes[vocabulary.ElasticPipeline])
	assert.Equal(t, "7", attributes[vocabulary.RecordUID])
	assert.Equal(t, "index", attributes[vocabulary.ElasticOp])
	r.counts(1, "accepted_items")
}

// A single document is rejected with the status that its item of _bulk would have.
func TestBadDocuments(t *testing.T) {
	t.Parallel()
	next := &pipeline{answer: func(_ context.Context, call int, _ []string) error {
		if call == 1 {
			return errors.New("busy")
		}
		return consumererror.NewPermanent(errors.New("never"))
	}}
	r := start(t, next, func(c *Config) { c.Limits.ItemBytes, c.Limits.Values, c.Limits.Depth = 1000, 10, 5 })
	for _, d := range []struct {
		body, says string
		status     int
		reason     string
	}{
		{"", "not a JSON object", 400, reasonItem},
		{"[1]", "not a JSON object", 400, reasonItem},
		{`{"a":`, "is not JSON", 400, reasonItem},
		{`{"a":[[[[[1]]]]]}`, "nested deeper than 5", 400, reasonItem},
		{`{"a":[1,1,1,1,1,1,1,1,1,1,1]}`, "more than 10 values", 400, reasonItem},
		{`{"a":"` + strings.Repeat("x", 1000) + `"}`, "more than 1000 bytes", 413, reasonBodySize},
		{said("m"), "the pipeline cannot accept the data now: busy", 429, reasonRetryable},
		{said("m"), "never", 400, reasonItem},
	} {
		before := r.count("errors", d.reason)
		a := r.do("POST", "/shop/_doc", strings.NewReader(d.body), ofJSON)
		assert.Equal(t, d.status, a.StatusCode, d.body)
		assert.Contains(t, a.text, d.says, d.body)
		r.counts(before+1, "errors", d.reason)
	}
	assert.Empty(t, next.accepted())
}

// Web pages must not write: browsers send these types without asking the receiver for consent.
func TestWebPages(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, nil)
	body := toIndex + "\n" + said("m") + "\n"
	for _, media := range []string{"text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""} {
		for _, header := range []string{"Origin: https://example.com", "Origin: null", "Sec-Fetch-Site: cross-site"} {
			for _, path := range []string{"/_bulk", "/shop/_doc", "/_aliases"} {
				a := r.do("POST", path, strings.NewReader(body), header, "Content-Type: "+media)
				assert.Equal(t, http.StatusNotAcceptable, a.StatusCode, "%s %s %s", path, media, header)
				assert.Contains(t, a.text, "media_type_header_exception")
				assert.Empty(t, a.Header.Get("Access-Control-Allow-Origin"))
			}
		}
	}
	assert.Empty(t, next.accepted())
	assert.GreaterOrEqual(t, r.do("OPTIONS", "/_bulk", nil, "Origin: https://example.com", "Access-Control-Request-Method: POST").StatusCode, 400)
	a := r.do("POST", "/_bulk", strings.NewReader(body), "Origin: https://kibana.example.com", ofJSON)
	assert.Equal(t, []int{201}, a.statuses(t), "a type that a page must ask for")
	// A log shipper is not a web page.
	assert.Equal(t, []int{201}, r.do("POST", "/_bulk", strings.NewReader(body), "Content-Type: text/plain").statuses(t))
}

func TestLongFilterPath(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, nil)
	for _, path := range []string{"/_nodes", "/shop/_doc", "/_bulk"} {
		a := r.do("POST", path+"?filter_path="+strings.Repeat("**.", 2000), strings.NewReader(toIndex+"\n"+said("m")+"\n"), ofJSON)
		assert.Equal(t, http.StatusBadRequest, a.StatusCode, path)
		assert.Contains(t, a.text, "filter_path has 6000 bytes, the limit is 4096")
	}
	assert.Empty(t, next.accepted())
	assert.Equal(t, "{}", r.do("GET", "/_nodes?filter_path="+strings.Repeat("**.", 1300)+"x", nil).text)
}
