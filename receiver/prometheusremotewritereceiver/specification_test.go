// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// specification lists the rules for receivers in remote write 1.0 and 2.0 with this receiver's
// results (go test -v -run TestSpecification). Each row is sent in both versions, or in one.
var specification = []struct {
	rule     string
	only     string // "1" or "2": the rule applies to this version only
	request  string
	change   func(*http.Request)
	answer   error // of the pipeline
	status   int
	written  string
	gets     string // a part of what the pipeline received
	getsNone bool
}{
	{rule: "MUST answer 2xx, SHOULD answer 204, if all is written", request: `x{job="j"} gauge : 1@1000`, status: 204, written: "1 0 0", gets: "1000 {} 1"},
	{rule: "MUST tell samples, histograms and exemplars written", request: `x{job="j"} gauge : 1@1000 2@2000 ex(1@1000 {a="b"}) nh({"t":1000,"count":1,"sum":1,"pos":[[0,1]],"posn":[1]})`, status: 204, written: "2 1 1", gets: "exemplar(1000 1"},
	{rule: "MUST identify the message by the content type", only: "1", request: `x{} : 1@1000`, change: header("Content-Type", "application/x-protobuf;proto=prometheus.WriteRequest"), status: 204, written: "1 0 0", gets: "1000 {} 1"},
	{rule: "… which follows RFC 9110: blanks, case", only: "2", request: `x{} : 1@1000`, change: header("Content-Type", `Application/X-Protobuf ; proto="io.prometheus.write.v2.Request"`), status: 204, written: "1 0 0", gets: "1000 {} 1"},
	{rule: "a message of the other version is not taken for an empty one", only: "2", request: `x{} : 1@1000`, change: header("Content-Type", contentV1), status: 400, written: "0 0 0", getsNone: true},
	{rule: "a message of the other version is not taken for an empty one", only: "1", request: `x{} : 1@1000`, change: header("Content-Type", contentV2), status: 400, written: "0 0 0", getsNone: true},
	{rule: "MUST answer 415 to another media type", request: `x{} : 1@1000`, change: header("Content-Type", "image/png"), status: 415, written: "0 0 0", getsNone: true},
	{rule: "MUST answer 415 to another message", request: `x{} : 1@1000`, change: header("Content-Type", "application/x-protobuf;proto=x.y.Z"), status: 415, written: "0 0 0", getsNone: true},
	{rule: "MUST answer 415 to another encoding", request: `x{} : 1@1000`, change: header("Content-Encoding", "zstd"), status: 415, written: "0 0 0", getsNone: true},
	{rule: "an unknown version in the header changes nothing", request: `x{} : 1@1000`, change: header("X-Prometheus-Remote-Write-Version", "2.7.1"), status: 204, written: "1 0 0", gets: "1000 {} 1"},
	{rule: "MUST answer 400 to invalid samples, MAY write the others", request: "x{} : 1@0\ny{} : 1@1000", status: 400, written: "1 0 0", gets: "Gauge y"},
	{rule: "MUST NOT answer 2xx if anything is not written", request: `x{} : 1@1000` + "\n" + `g{} : nh({"t":1000,"count":1,"sum":1,"pos":[[0,1]],"posn":[1],"hint":3})`, status: 400, written: "1 0 0", gets: "Gauge x"},
	{rule: "MUST answer 4xx if it can never succeed", request: `x{} : 1@1000`, answer: consumererror.NewPermanent(errors.New("never")), status: 400, written: "0 0 0", getsNone: true},
	{rule: "MUST answer 5xx if it may succeed later, MAY say when", request: `x{} : 1@1000`, answer: errors.New("later"), status: 503, written: "0 0 0", getsNone: true},
	{rule: "stale markers", request: `x{job="j"} : stale@1000`, status: 204, written: "1 0 0", gets: "1000 {} ended"},
	{rule: "other NaN are values", request: `x{} : NaN@1000`, status: 204, written: "1 0 0", gets: "1000 {} NaN"},
	{rule: "infinite values", request: `x{} : +Inf@1000 -Inf@2000`, status: 204, written: "2 0 0", gets: "2000 {} -Inf"},
	{rule: "samples of one series in several TimeSeries", request: "x{} : 1@1000\nx{} : 2@2000", status: 204, written: "2 0 0", gets: "2000 {} 2"},
	{rule: "samples out of order are passed on as they come", request: "x{} : 2@2000 1@1000", status: 204, written: "2 0 0", gets: "1000 {} 1"},
	{rule: "MAY impose limits on labels", request: `x{l="` + strings.Repeat("x", 70_000) + `"} : 1@1000`, status: 400, written: "0 0 0", getsNone: true},
	{rule: "label values are any UTF-8", request: `x{a="日本 🌍 \n"} : 1@1000`, status: 204, written: "1 0 0", gets: "日本 🌍"},
	{rule: "names are any UTF-8", only: "2", request: `{"my.metric","some.label"="v"} : 1@1000`, status: 204, written: "1 0 0", gets: "my.metric"},
	{rule: "metadata that comes apart", only: "1", request: "family x counter - \"what\"", status: 204, written: "0 0 0", getsNone: true},
	{rule: "metadata decides the type", only: "2", request: `x{} counter seconds "what" : 1@1000`, status: 204, written: "1 0 0", gets: "Counter x (counter) in s: what"},
	{rule: "an unspecified type is accepted", only: "2", request: `x{} : 1@1000`, status: 204, written: "1 0 0", gets: "(unknown)"},
	{rule: "start timestamps; 0 is none", only: "2", request: `x{} counter : 1@1000/500 2@2000`, status: 204, written: "2 0 0", gets: "1000/500 {} 1"},
	{rule: "start timestamps of histograms", only: "2", request: `x{} histogram : nh({"t":1000,"start":500,"count":1,"sum":1,"pos":[[0,1]],"posn":[1]})`, status: 204, written: "0 1 0", gets: "1000/500"},
	{rule: "exemplars in a TimeSeries of their own", request: "x{} : 1@1000\nx{} : ex(1@1000 {trace_id=\"t\"})", status: 204, written: "1 0 1", gets: "trace_id=t"},
	{rule: "an exemplar without labels", request: "x{} : 1@1000 ex(1@1000 {})", status: 204, written: "1 0 1", gets: "exemplar(1000 1"},
	{rule: "exponential histograms", request: `x{} : nh({"t":1000,"count":3,"sum":1,"schema":2,"zc":1,"pos":[[1,2]],"posn":[1,0]})`, status: 204, written: "0 1 0", gets: "scale 2 zero 1"},
	{rule: "float histograms", request: `x{} : nh({"t":1000,"float":true,"count":3,"sum":1,"pos":[[1,2]],"posn":[1,2]})`, status: 204, written: "0 1 0", gets: "count 3"},
	{rule: "custom buckets", request: `x{} : nh({"t":1000,"count":3,"sum":1,"schema":-53,"bounds":[1],"pos":[[0,2]],"posn":[1,1]})`, status: 204, written: "0 1 0", gets: "bounds [1] counts [1 2]"},
	{rule: "stale histograms", request: `x{} : nh({"t":1000,"sum":null})`, status: 204, written: "0 1 0", gets: "ended"},
	{rule: "an empty request", request: ``, status: 204, written: "0 0 0", getsNone: true},
}

func TestSpecification(t *testing.T) {
	rows := []string{fmt.Sprintf("%-62s %-4s %-7s %-7s %s", "case", "", "answer", "written", "ok")}
	for _, tt := range specification {
		for _, version := range []string{"1", "2"} {
			if tt.only != "" && tt.only != version {
				continue
			}
			t.Run(tt.rule+"/"+version, func(t *testing.T) {
				next := &pipeline{answer: func(context.Context, pmetric.Metrics) error { return tt.answer }}
				r := start(t, next, nil)
				m, err := parseMessage(tt.request)
				require.NoError(t, err)
				plain, content := m.v1(), contentV1
				if version == "2" {
					plain, content = m.v2(), contentV2
				}
				req := r.request(content, snappy.Encode(nil, plain))
				if tt.change != nil {
					tt.change(req)
				}
				a := r.do(req)
				assert.Equal(t, tt.status, a.status, a.text)
				assert.Equal(t, tt.written, a.written())
				assert.Equal(t, tt.status/100 != 2, a.text != "", "a refusal says why, and nothing else has a body")
				var got strings.Builder
				for _, md := range next.accepted() {
					got.WriteString(render(md))
				}
				assert.Contains(t, got.String(), tt.gets)
				assert.Equal(t, tt.getsNone, got.Len() == 0)
				rows = append(rows, fmt.Sprintf("%-62s %s.0  %-7d %-7s %v", tt.rule, version, a.status, a.written(), !t.Failed()))
			})
		}
	}
	t.Log("\nwritten: samples, histograms and exemplars\n" + strings.Join(rows, "\n"))
}
