// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestQuestions checks the requests that clients send before they write.
func TestQuestions(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, nil)
	for _, q := range []struct {
		who, ask string
		status   int
		has      string
	}{
		{"every client", "GET /", 200, `"number":"9.5.3"`},
		{"Logstash, rsyslog", "HEAD /", 200, ""},
		{"Beats 7", "GET /_license?human=false", 200, `"license":{`},
		{"Beats 7", "GET /_xpack", 200, `"license":{`},
		{"Beats 6", "GET /_xpack/license", 200, `"status":"active"`},
		{"rsyslog", "GET /_cluster/health", 200, `"status":"green"`},
		{"Python", "GET /_cluster/health/i?wait_for_status=yellow", 200, `"timed_out":false`},
		{"Beats", "GET /_cluster/settings", 200, `"persistent":{}`},
		{"sniffing clients", "GET /_nodes/_all/http", 200, `"publish_address":"127.0.0.1:`},
		{"Beats", "HEAD /_index_template/filebeat-8.13.0", 404, ""},
		{"Beats", "PUT /_index_template/filebeat-8.13.0", 200, `{"acknowledged":true}`},
		{"Vector", "PUT /_component_template/logs@custom", 200, `{"acknowledged":true}`},
		{"Logstash 7", "GET /_template/logstash", 404, `"status":404`},
		{"Logstash 7", "PUT /_template/logstash", 200, `{"acknowledged":true}`},
		{"Beats", "GET /_ilm/policy/filebeat", 404, `"status":404`},
		{"Beats", "PUT /_ilm/policy/filebeat", 200, `{"acknowledged":true}`},
		{"Beats", "GET /_ilm/status", 200, `"RUNNING"`},
		{"Filebeat modules", "GET /_ingest/pipeline/filebeat-nginx", 404, `"status":404`},
		{"Filebeat modules", "PUT /_ingest/pipeline/filebeat-nginx", 200, `{"acknowledged":true}`},
		{"Beats 8", "GET /_data_stream/filebeat-8.13.0", 200, `"data_streams":[`},
		{"Beats 8", "PUT /_data_stream/filebeat-8.13.0", 200, `"acknowledged":true`},
		{"Beats 7", "HEAD /_alias/filebeat-7.17.29", 200, ""},
		{"Logstash", "PUT /%3Clogstash-%7Bnow%2Fd%7D-000001%3E", 200, `logstash-{now/d}-000001`},
		{"applications", "HEAD /shop", 200, ""},
		{"applications", "GET /shop", 200, `"shop":{`},
		{"applications", "PUT /shop", 200, `"shards_acknowledged":true`},
		{"applications", "PUT /shop/_mapping", 200, `"acknowledged":true`},
		{"Python", "POST /shop/_refresh", 200, `"successful":1`},
		{"all clients", "GET /?filter_path=version.number", 200, `{"version":{"number":"9.5.3"}}`},
		{"searches", "GET /shop/_search", 400, "and no searches"},
		{"searches", "POST /_search", 400, "no handler found for uri [/_search]"},
		{"others", "DELETE /shop", 400, "no handler found"},
		{"others", "GET /_cat/indices", 400, "no handler found"},
		{"others", "POST /_ingest/pipeline/_simulate", 400, "no handler found"},
		{"others", "GET /_bulk", 405, "allowed: [POST, PUT]"},
	} {
		method, path, _ := strings.Cut(q.ask, " ")
		a := r.do(method, path, nil)
		assert.Equal(t, q.status, a.StatusCode, "%s: %s", q.who, q.ask)
		assert.Contains(t, a.text, q.has, "%s: %s", q.who, q.ask)
		assert.Equal(t, "application/json", a.Header.Get("Content-Type"), q.ask)
	}
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, nil)
	body := toIndex + "\n" + said("m") + "\n"
	for _, m := range []struct {
		accept, content string
		status          int
		answer          string
	}{
		{"", "application/x-ndjson", 200, "application/json"},
		{"*/*", "application/json; charset=UTF-8", 200, "application/json"},
		{"application/vnd.elasticsearch+json; compatible-with=8", "application/vnd.elasticsearch+x-ndjson; compatible-with=8", 200, "application/vnd.elasticsearch+json;compatible-with=8"},
		{"application/vnd.elasticsearch+json;compatible-with=9", "application/vnd.elasticsearch+json;compatible-with=9", 200, "application/vnd.elasticsearch+json;compatible-with=9"},
		{"application/json, text/plain", "application/vnd.elasticsearch+x-ndjson;compatible-with=8", 200, "application/vnd.elasticsearch+json;compatible-with=8"},
		{"", "application/vnd.elasticsearch+json;compatible-with=3", 406, "application/json"},
		{"", "application/cbor", 406, "application/json"},
	} {
		a := r.do("POST", "/_bulk", strings.NewReader(body), "Accept: "+m.accept, "Content-Type: "+m.content)
		assert.Equal(t, m.status, a.StatusCode, "%v", m)
		assert.Equal(t, m.answer, a.Header.Get("Content-Type"), "%v", m)
	}
	r.counts(2, "errors", reasonMediaType)
}
