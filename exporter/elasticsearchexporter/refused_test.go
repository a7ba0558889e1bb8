// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/auspex-otel/auspex/exporter/elasticsearchexporter/internal/metadatatest"
	"github.com/auspex-otel/auspex/internal/deadletter"
)

func conflict(_ int, a action) reply {
	if strings.Contains(a.Body, `"text":"bad`) { // random ids contain "bad" too
		return reply{400, "document_parsing_exception", "field n is a number"}
	}
	return reply{status: 201}
}

func TestDeadLetter(t *testing.T) {
	s, folder := newServer(t), t.TempDir()
	s.each = conflict
	e, telemetry := started(t, s, keys{"dead_letter": keys{"directory": folder}})
	require.NoError(t, e.ConsumeLogs(t.Context(), records("good", "bad", "bad too")))
	assert.Equal(t, []int{3}, s.seen(), "what will never be taken is not tried again")
	letters := deadLetters(t, folder)
	require.Len(t, letters, 2)
	assert.Equal(t, "exporters::elasticsearch/a", letters[0].Component)
	assert.Equal(t, "logs", letters[0].Signal)
	assert.Equal(t, "field n is a number", letters[0].Reason)
	assert.Equal(t, map[string]string{
		"index": "logs-generic.otel-default", "id": s.requests[0][1].ID, "status": "400", "type": "document_parsing_exception",
	}, letters[0].Attributes)
	assert.Contains(t, string(letters[0].Payload), `{"@timestamp":`)
	metadatatest.AssertEqualExporterElasticsearchDeadLetters(t, telemetry, []metricdata.DataPoint[int64]{
		point(2, attribute.String("reason", "document_parsing_exception")),
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

// deadLetters reads the dead letters in a directory and its subdirectories.
func deadLetters(t *testing.T, dir string) (all []deadletter.Letter) {
	t.Helper()
	damaged, err := deadletter.Read(dir, func(l deadletter.Letter) error { all = append(all, l); return nil })
	require.NoError(t, err)
	assert.Zero(t, damaged)
	return all
}

func TestDeadLetterThatCannotBeWrittenStaysToBeRetried(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "letters")
	s := newServer(t)
	s.each = conflict
	e, _ := started(t, s, keys{"dead_letter": keys{"directory": dir}})
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.WriteFile(dir, nil, 0o600))
	err := e.ConsumeLogs(t.Context(), records("good", "bad"))
	require.ErrorContains(t, err, "not a directory")
	assert.Equal(t, []string{"bad"}, left(t, err))
}

// A full dead letter discards its oldest entries and does not block other documents.
func TestFullDeadLetterBlocksNothing(t *testing.T) {
	dir := t.TempDir()
	s := newServer(t)
	s.each = conflict
	e, telemetry := started(t, s, keys{"dead_letter": keys{"directory": dir, "max_bytes": 16 << 10}})
	for range 20 {
		require.NoError(t, e.ConsumeLogs(t.Context(), records("good", "bad "+strings.Repeat("x", 1000))))
	}
	kept := len(deadLetters(t, dir))
	assert.Greater(t, kept, 5)
	metadatatest.AssertEqualExporterElasticsearchDeadLettersDiscarded(t, telemetry, []metricdata.DataPoint[int64]{point(int64(20 - kept))},
		metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestWithoutDeadLetterTheSenderIsTold(t *testing.T) {
	s := newServer(t)
	s.each = conflict
	e, telemetry := started(t, s, nil)
	err := e.ConsumeLogs(t.Context(), records("good", "bad"))
	require.ErrorContains(t, err, "Elasticsearch rejected 1 documents, the first with 400 document_parsing_exception")
	assert.True(t, consumererror.IsPermanent(err))
	metadatatest.AssertEqualExporterElasticsearchDropped(t, telemetry, []metricdata.DataPoint[int64]{
		point(1, attribute.String("reason", "document_parsing_exception")),
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

// A request that is too large is halved until it fits. A single document that is too large
// becomes a dead letter.
func TestRequestsThatAreTooLarge(t *testing.T) {
	for _, status := range []int{http.StatusRequestEntityTooLarge, http.StatusBadRequest} {
		s, folder := newServer(t), t.TempDir()
		s.whole = func(_ int, actions []action, w http.ResponseWriter) bool {
			size := 0
			for _, a := range actions {
				size += len(a.Body)
			}
			if size < 1000 {
				return false
			}
			w.WriteHeader(status)
			return true
		}
		e, _ := started(t, s, keys{"dead_letter": keys{"directory": folder}})
		texts := make([]string, 16)
		for i := range texts {
			texts[i] = strconv.Itoa(i)
		}
		texts[11] = strings.Repeat("x", 2000)
		require.NoError(t, e.ConsumeLogs(t.Context(), records(texts...)))
		written := map[string]bool{}
		for _, request := range s.requests {
			if size := len(fmt.Sprint(request)); size < 1500 {
				for _, a := range request {
					written[a.ID] = true
				}
			}
		}
		assert.Len(t, written, 15)
		assert.Len(t, deadLetters(t, folder), 1)
	}
}

func TestRequestsAreBoundedInSize(t *testing.T) {
	s := newServer(t)
	e, _ := started(t, s, keys{"max_bulk_bytes": 2000})
	require.NoError(t, e.ConsumeLogs(t.Context(), records("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", strings.Repeat("x", 3000), "k")))
	total := 0
	for _, n := range s.seen() {
		total += n
		assert.Less(t, n, 9)
	}
	assert.Equal(t, 12, total)
	assert.Greater(t, len(s.seen()), 2)
}

// A request that always fails does not delay the others.
func TestOthersComeFirstAfterAFailure(t *testing.T) {
	s := newServer(t)
	s.whole = func(_ int, actions []action, w http.ResponseWriter) bool {
		if strings.Contains(actions[0].Body, "poison") {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	}
	e, _ := started(t, s, keys{"max_bulk_bytes": 1024})
	err := e.ConsumeLogs(t.Context(), records("poison"+strings.Repeat(".", 1000), "good"))
	assert.Len(t, left(t, err), 1)
}
