// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/auspex-otel/auspex/exporter/elasticsearchexporter/internal/document"
	"github.com/auspex-otel/auspex/exporter/elasticsearchexporter/internal/metadata"
	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// Attributes of the exporter's own telemetry.
var (
	outcomeWritten   = attribute.String("outcome", "written")
	outcomeDuplicate = attribute.String("outcome", "duplicate")
	outcomeRetried   = attribute.String("outcome", "retried")
	resultAnswered   = attribute.String("result", "answered")
	resultFailed     = attribute.String("result", "failed")
)

// smallestRequest is the minimum in bytes to which the request size is reduced.
const smallestRequest = 64 << 10

// bulk sends documents to _bulk and sorts them by outcome.
type bulk struct {
	client    esapi.Transport
	telemetry *metadata.TelemetryBuilder
	retry     RetryConfig
	source    *bool
	bury      func(context.Context, []letter) (dropped bool, err error)
	// size is the maximum request size in bytes. It decreases when the server rejects a request
	// as too large.
	size atomic.Int64
	// ownIDs holds the time series data streams, which generate ids themselves.
	ownIDs indexSet
	stop   chan struct{}
}

// letter is a document that Elasticsearch rejected permanently, with the answer.
type letter struct {
	document.Document
	esbulk.Result
}

// outcome sorts documents. Documents in none of its lists are in Elasticsearch.
type outcome struct {
	again   []document.Document
	letters []letter
	// cause is the first error because of which documents are retried or were dropped.
	cause error
}

func (o *outcome) later(d document.Document, cause error) {
	o.again = append(o.again, d)
	o.because(cause)
}

func (o *outcome) because(cause error) {
	if o.cause == nil {
		o.cause = cause
	}
}

// write sends documents and retries those with retryable errors. It returns the origins of the
// remaining documents, with the error. An error without origins concerns dropped documents.
func (b *bulk) write(ctx context.Context, docs []document.Document) (left map[int]bool, err error) {
	var dropped error
	for try := 0; len(docs) > 0; try++ {
		o := &outcome{}
		if unsent, err := b.round(ctx, docs, o); err != nil {
			o.again = append(unsent, o.again...)
			o.cause = err
		}
		if lost, err := b.bury(ctx, o.letters); lost {
			dropped = err
		} else if err != nil {
			for _, l := range o.letters {
				o.later(l.Document, err)
			}
		}
		docs, err = o.again, o.cause
		if len(docs) > 0 && (try >= b.retry.retries() || !b.pause(ctx, try)) {
			break
		}
		b.count(ctx, b.telemetry.ExporterElasticsearchDocuments, len(docs), outcomeRetried)
	}
	if len(docs) == 0 {
		return nil, dropped
	}
	left = make(map[int]bool, len(docs))
	for _, d := range docs {
		left[d.Origin] = true
	}
	return left, err
}

// pause waits before the next try. It returns false if there is none.
func (b *bulk) pause(ctx context.Context, try int) bool {
	wait := b.retry.InitialInterval << min(try, 20)
	timer := time.NewTimer(min(wait, b.retry.MaxInterval))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-b.stop:
		return false
	case <-timer.C:
		return true
	}
}

// round sends every document once. It ends after a request without a usable answer, and returns
// the unsent documents followed by those of that request, so that a request that always fails
// does not delay the others.
func (b *bulk) round(ctx context.Context, docs []document.Document, o *outcome) (unsent []document.Document, err error) {
	for len(docs) > 0 {
		n, size := 0, 0
		for n < len(docs) && (n == 0 || size+length(docs[n]) <= int(b.size.Load())) {
			size += length(docs[n])
			n++
		}
		failed, err := b.send(ctx, docs[:n], o)
		docs = docs[n:]
		if err != nil {
			return append(append([]document.Document(nil), docs...), failed...), err
		}
	}
	return nil, nil
}

// length returns the approximate size of a document in a request, in bytes.
func length(d document.Document) int {
	return len(d.Body) + len(d.Index) + len(d.ID) + len(d.Pipeline) + 64
}

// send sends one request. If its content is rejected as a whole, it sends two halves,
// recursively. It returns the documents with unknown outcome.
func (b *bulk) send(ctx context.Context, docs []document.Document, o *outcome) (unsent []document.Document, err error) {
	results, err := b.request(ctx, docs)
	var no *refusal
	switch {
	case err == nil:
		b.count(ctx, b.telemetry.ExporterElasticsearchRequests, 1, resultAnswered)
		for i, r := range results {
			b.sort(ctx, docs[i], r, o)
		}
		return nil, nil
	case !errors.As(err, &no) || !no.body():
		b.count(ctx, b.telemetry.ExporterElasticsearchRequests, 1, resultFailed)
		return docs, err
	case len(docs) == 1:
		o.letters = append(o.letters, letter{docs[0], esbulk.Result{Status: no.status, Type: no.kind, Reason: no.reason}})
		return nil, nil
	}
	half := len(docs) / 2
	if no.status == http.StatusRequestEntityTooLarge {
		b.size.Store(max(b.size.Load()/2, min(b.size.Load(), smallestRequest)))
	}
	if unsent, err = b.send(ctx, docs[:half], o); err != nil {
		return append(append([]document.Document(nil), docs[half:]...), unsent...), err
	}
	return b.send(ctx, docs[half:], o)
}

// sort assigns a document to a list of o by its answer.
func (b *bulk) sort(ctx context.Context, d document.Document, r esbulk.Result, o *outcome) {
	documents := b.telemetry.ExporterElasticsearchDocuments
	switch {
	case r.Status < http.StatusMultipleChoices:
		b.count(ctx, documents, 1, outcomeWritten)
	case r.Status == http.StatusConflict:
		// It exists already, from an earlier try or in a newer state.
		b.count(ctx, documents, 1, outcomeDuplicate)
	case transient(r.Status):
		o.later(d, fmt.Errorf("Elasticsearch returned a retryable error for some documents: %d %s: %s", r.Status, r.Type, r.Reason)) //nolint:staticcheck // a name
	case d.ID != "" && strings.Contains(r.Reason, "_id must be unset"):
		b.ownIDs.add(d.Index)
		o.later(d, fmt.Errorf("%s is a time series data stream, which generates its ids; the documents are sent again without ids", d.Index))
	default:
		o.letters = append(o.letters, letter{d, r})
	}
}

// request sends documents and returns the answer to each.
func (b *bulk) request(ctx context.Context, docs []document.Document) ([]esbulk.Result, error) {
	var body []byte
	for _, d := range docs {
		if b.ownIDs.has(d.Index) {
			d.ID = ""
		}
		body = append(esbulk.AppendAction(body, d.Action), d.Body...)
	}
	res, err := esapi.BulkRequest{Body: bytes.NewReader(body), FilterPath: esbulk.Filter, IncludeSourceOnError: b.source}.Do(ctx, b.client)
	if err != nil {
		return nil, fmt.Errorf("no answer from Elasticsearch to _bulk: %w; check that it is running and reachable", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, readRefusal(res)
	}
	return esbulk.ReadResponse(res.Body, len(docs))
}

func (*bulk) count(ctx context.Context, c metric.Int64Counter, n int, a attribute.KeyValue) {
	if n > 0 {
		c.Add(ctx, int64(n), metric.WithAttributes(a))
	}
}

// indexSet is a bounded set of names.
type indexSet struct {
	mu    sync.RWMutex
	names map[string]bool
}

// mostIndices bounds the remembered names. At the limit, all are discarded and learned again.
const mostIndices = 1000

func (s *indexSet) has(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.names[name]
}

func (s *indexSet) add(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil || len(s.names) >= mostIndices {
		s.names = map[string]bool{}
	}
	s.names[name] = true
}
