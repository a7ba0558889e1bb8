// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// records returns the log records that the pipeline accepted, by body.
func (p *pipeline) records() map[string]plog.LogRecord {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string]plog.LogRecord{}
	for _, ld := range p.logs {
		for _, rl := range ld.ResourceLogs().All() {
			for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
				all[lr.Body().AsString()] = lr
			}
		}
	}
	return all
}

func TestOperations(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, nil)
	a := r.bulk(
		`{"index":{"_index":"i","_id":"1"}}`, said("a"),
		`{"create":{"_index":"logs-app-default","pipeline":"p"}}`, said("b"),
		`{"update":{"_index":"i","_id":"1"}}`, `{"doc":{"message":"c"},"doc_as_upsert":true}`,
		`{"update":{"_index":"i","_id":"1"}}`, `{"script":{"source":"ctx._source.n++"}}`,
		`{"delete":{"_index":"i","_id":"1"}}`,
		"", // ignored, as Elasticsearch does
		`{"create":{"_index":"i"}}`, said("d"),
	)
	require.Equal(t, http.StatusOK, a.StatusCode, a.text)
	assert.Equal(t, []int{201, 201, 200, 400, 400, 201}, a.statuses(t))
	assert.Equal(t, true, a.object(t)["errors"])
	assert.Equal(t, "1", a.item(t, 0)["_id"])
	assert.Equal(t, "updated", a.item(t, 2)["result"])
	assert.Contains(t, a.item(t, 3)["error"].(map[string]any)["reason"], "script is not supported")
	assert.Contains(t, a.item(t, 4)["error"].(map[string]any)["reason"], "delete is not supported")
	assert.Equal(t, []string{"a", "b", "c", "d"}, next.accepted())
	r.counts(4, "accepted_items")
	r.counts(1, "refused_items", "delete")
	r.counts(1, "refused_items", "action")

	records := next.records()
	for body, want := range map[string]map[string]any{
		"a": {vocabulary.ElasticIndex: "i", vocabulary.RecordUID: "1", "elastic.metadata._id": "1", vocabulary.ElasticOp: "index"},
		"b": {vocabulary.ElasticIndex: "logs-app-default", vocabulary.RecordUID: a.item(t, 1)["_id"], vocabulary.ElasticPipeline: "p"},
	} {
		assert.Equal(t, want, records[body].Attributes().AsRaw(), body)
	}
	update := records["c"].Attributes().AsRaw()
	assert.Equal(t, "update", update[vocabulary.ElasticOp])
	assert.NotEqual(t, "1", update[vocabulary.RecordUID], "an update is an event of its own")
	assert.Len(t, a.item(t, 1)["_id"], 20)
	assert.NotEqual(t, a.item(t, 1)["_id"], a.item(t, 5)["_id"])
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, nil)
	body := `{"create":{}}` + "\n" + said("m") + "\n"
	for path, index := range map[string]string{"/shop/_bulk?pipeline=q": "shop", "/shop/_doc/_bulk": "shop", "/%3Cshop-%7Bnow%2Fd%7D%3E/_bulk": "<shop-{now/d}>"} {
		a := r.do("PUT", path, strings.NewReader(body))
		assert.Equal(t, index, a.item(t, 0)["_index"])
		assert.Equal(t, []int{201}, a.statuses(t))
	}
	a := r.do("POST", "/_bulk", strings.NewReader(body))
	assert.Equal(t, []int{400}, a.statuses(t))
	assert.Equal(t, "index is missing", a.item(t, 0)["error"].(map[string]any)["reason"])
	zip := r.do("POST", "/i/_bulk", bytes.NewReader(zipped(t, body)), "Content-Encoding: gzip")
	assert.Equal(t, []int{201}, zip.statuses(t))
	assert.Len(t, next.accepted(), 4)
}

func TestFilterPath(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, nil)
	body := toIndex + "\n" + said("m") + "\n" + `{"delete":{"_index":"i","_id":"1"}}` + "\n"
	for filter, want := range map[string]string{
		"errors,items.*.status,items.*.error.type": `{"errors":true,"items":[{"index":{"status":201}},{"delete":{"error":{"type":"illegal_argument_exception"},"status":400}}]}`,
		"errors,items.*.error.type":                `{"errors":true,"items":[{"delete":{"error":{"type":"illegal_argument_exception"}}}]}`,
		"errors":                                   `{"errors":true}`,
		"-took,-items":                             `{"errors":true}`,
	} {
		a := r.do("POST", "/_bulk?filter_path="+filter, strings.NewReader(body))
		assert.JSONEq(t, want, a.text, filter)
	}
}

func TestMeasurementsAndLogs(t *testing.T) {
	t.Parallel()
	const numbers = `{"@timestamp":"2026-05-04T12:00:00.000Z","metricset":{"name":"cpu"},"system":{"cpu":{"user":{"pct":0.5,"ticks":7}}}}`
	lines := []string{`{"create":{"_index":"metricbeat-8","_id":"m"}}`, numbers, toIndex, said("l"), `{"create":{"_index":"metrics-shop-prod"}}`, `{"carts":3}`}
	next := &pipeline{}
	r := start(t, next, nil)
	assert.Equal(t, []int{201, 201, 201}, r.bulk(lines...).statuses(t))
	assert.Equal(t, []string{"l"}, next.accepted())
	require.Len(t, next.metrics, 1)
	assert.Equal(t, 3, next.metrics[0].DataPointCount())
	for _, m := range next.metrics[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Name() == "system.cpu.user.pct" {
			attributes := m.Gauge().DataPoints().At(0).Attributes().AsRaw()
			assert.Equal(t, map[string]any{"metricset.name": "cpu", vocabulary.ElasticIndex: "metricbeat-8"}, attributes, "no id: it would make every point a series")
		}
	}

	next = &pipeline{}
	r = startWith(t, next, signals{logs: true}, componenttest.NewNopHost(), nil)
	assert.Equal(t, []int{201, 201, 201}, r.bulk(lines...).statuses(t), "without a pipeline of metrics they are log records")
	assert.Len(t, next.accepted(), 3)

	next = &pipeline{}
	r = startWith(t, next, signals{metrics: true}, componenttest.NewNopHost(), nil)
	assert.Equal(t, []int{201, 400, 201}, r.bulk(lines...).statuses(t))
	r.counts(1, "refused_items", itemNoPipeline)
}

// The answer returns the result of the pipeline for each chunk.
func TestPipelineRefuses(t *testing.T) {
	t.Parallel()
	const no = "the queue is full"
	lines := []string{toIndex, said("a"), toIndex, said("b"), toIndex, said("c"), toIndex, said("d")}
	run := func(events int, answers map[int]error) (*running, *pipeline, reply) {
		next := &pipeline{answer: func(_ context.Context, call int, _ []string) error { return answers[call] }}
		r := start(t, next, func(c *Config) { c.Chunk.Items = events })
		return r, next, r.bulk(lines...)
	}
	r, next, a := run(100, map[int]error{1: errors.New(no)})
	assert.Equal(t, http.StatusTooManyRequests, a.StatusCode, "of nothing that was taken, the request is refused as a whole")
	assert.Equal(t, "1", a.Header.Get("Retry-After"))
	assert.Equal(t, "es_rejected_execution_exception", a.object(t)["error"].(map[string]any)["type"])
	assert.Contains(t, a.text, no)
	r.counts(1, "errors", reasonRetryable)
	r.counts(4, "refused_items", itemRetryable)
	assert.Equal(t, http.StatusOK, r.bulk(lines...).StatusCode)
	assert.Len(t, next.accepted(), 4)

	r, next, a = run(2, map[int]error{2: errors.New(no)})
	assert.Equal(t, []int{201, 201, 429, 429}, a.statuses(t))
	assert.Contains(t, a.item(t, 3)["error"].(map[string]any)["reason"], no)
	assert.Equal(t, []string{"a", "b"}, next.accepted())
	r.counts(0, "errors")

	_, next, a = run(1, map[int]error{2: errors.New(no)})
	assert.Equal(t, []int{201, 429, 429, 429}, a.statuses(t), "after a refusal nothing more is tried")
	assert.Equal(t, 2, next.calls)

	r, next, a = run(2, map[int]error{1: consumererror.NewPermanent(errors.New("of a wrong type"))})
	assert.Equal(t, []int{400, 400, 201, 201}, a.statuses(t))
	assert.Equal(t, []string{"c", "d"}, next.accepted())
	r.counts(2, "refused_items", itemPermanent)

	_, _, a = run(100, map[int]error{1: errors.Join(consumererror.NewPermanent(errors.New("never")), errors.New("later"))})
	assert.Equal(t, http.StatusTooManyRequests, a.StatusCode, "one of the consumers may still take it")
}

// No answer is sent before the pipeline has accepted the data.
func TestAnswerComesAfterThePipeline(t *testing.T) {
	t.Parallel()
	began, open := make(chan struct{}), make(chan struct{})
	r := start(t, &pipeline{answer: func(context.Context, int, []string) error { close(began); <-open; return nil }}, nil)
	answered := make(chan reply, 1)
	go func() { answered <- r.bulk(toIndex, said("m")) }()
	<-began
	select {
	case <-answered:
		t.Error("answered while the pipeline still worked")
	default:
	}
	close(open)
	assert.Equal(t, []int{201}, (<-answered).statuses(t))
}
