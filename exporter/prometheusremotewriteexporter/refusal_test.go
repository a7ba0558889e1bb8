// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/auspex-otel/auspex/internal/deadletter"
)

// refuseBad returns the answers of a 1.0 Prometheus: it writes nothing of a request with one bad
// sample.
func refuseBad(bad func(series string, s sample) bool) func(http.ResponseWriter, int, received) (int, string) {
	return func(_ http.ResponseWriter, _ int, r received) (int, string) {
		for name, samples := range r.series {
			for _, s := range samples {
				if bad(name, s) {
					return http.StatusBadRequest, "out of order sample"
				}
			}
		}
		return 0, ""
	}
}

func isBad(series string, _ sample) bool { return strings.HasPrefix(series, "bad") }

// open reads all dead letters in a directory and its subdirectories.
func open(t *testing.T, dir string) (bodies []received, letters []deadletter.Letter) {
	t.Helper()
	damaged, err := deadletter.Read(dir, func(l deadletter.Letter) error {
		r, err := decode(http.Header{"Content-Type": {l.Attributes["content_type"]}}, l.Payload)
		bodies, letters = append(bodies, r), append(letters, l)
		return err
	})
	require.NoError(t, err)
	assert.Zero(t, damaged)
	return bodies, letters
}

func TestOneBadSeriesCostsItselfOnly(t *testing.T) {
	for name, msg := range messages {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, refuseBad(isBad))
			dir := t.TempDir()
			e := start(t, s.URL, with(message(msg), letters(dir)))
			names := append(numbered("good", 1000), "bad_one")
			require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000, 7, names...)))
			require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(2000, 8, "good_00000")), "the next batch goes on")

			store := s.store()
			assert.Len(t, store, 1000)
			assert.Equal(t, []sample{{1000, 7}, {2000, 8}}, store[`good_00000{job="shop"}`])
			bodies, notes := open(t, dir)
			require.Len(t, bodies, 1)
			assert.Equal(t, map[string][]sample{`bad_one{job="shop"}`: {{1000, 7}}}, bodies[0].series)
			assert.Equal(t, "400 Bad Request: out of order sample", notes[0].Reason)
			assert.Equal(t, 1, notes[0].Items)
			assert.Equal(t, "metrics", notes[0].Signal)
			assert.Equal(t, "400", notes[0].Attributes["status"])
			assert.Equal(t, s.URL, notes[0].Attributes["endpoint"])
			assert.Equal(t, "snappy", notes[0].Attributes["content_encoding"])
			assert.NotEmpty(t, notes[0].Attributes["version"])
			assert.LessOrEqual(t, len(s.seen()), 25, "a search by halves")

			assert.EqualValues(t, 1001, e.counter(t, "sent_samples"))
			assert.EqualValues(t, 1, e.counter(t, "refused_samples"))
			assert.EqualValues(t, 1, e.counter(t, "dead_letters"))
			assert.EqualValues(t, len(s.seen()), e.counter(t, "requests"))
		})
	}
}

func TestOneBadSampleOfASeriesCostsItselfOnly(t *testing.T) {
	for name, msg := range messages {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, refuseBad(func(_ string, s sample) bool { return s.at == 3000 }))
			dir := t.TempDir()
			e := start(t, s.URL, with(message(msg), letters(dir)))
			md := gauges(1000, 1, "load")
			points := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints()
			for i := int64(2); i <= 6; i++ {
				addPoint(points, i*1000, float64(i))
			}
			require.NoError(t, e.ConsumeMetrics(t.Context(), md))
			assert.Equal(t, map[string][]sample{`load{job="shop"}`: {{1000, 1}, {2000, 2}, {4000, 4}, {5000, 5}, {6000, 6}}}, s.store())
			bodies, _ := open(t, dir)
			require.Len(t, bodies, 1)
			assert.Equal(t, map[string][]sample{`load{job="shop"}`: {{3000, 3}}}, bodies[0].series)
		})
	}
}

func TestSearchEndsWhereAllIsBad(t *testing.T) {
	s := newServer(t, refuseBad(isBad))
	dir := t.TempDir()
	e := start(t, s.URL, letters(dir))
	require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000, 7, numbered("bad", 5000)...)))
	assert.LessOrEqual(t, len(s.seen()), 1+searchRequests)
	bodies, _ := open(t, dir)
	require.Len(t, bodies, 1)
	assert.Len(t, bodies[0].series, 5000)
	assert.Empty(t, s.store())
}

func TestSearchIsBoundedWhereEveryOtherIsBad(t *testing.T) {
	s := newServer(t, refuseBad(isBad))
	dir := t.TempDir()
	e := start(t, s.URL, letters(dir))
	var names []string
	for i := range 2000 { // names are sent in order, so the bad ones are between the good ones
		names = append(names, fmt.Sprintf("good_%d", i))
	}
	require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000, 7, names...)))
	md := gauges(2000, 7, names...)
	metrics := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	s.mu.Lock()
	s.answer = refuseBad(func(series string, _ sample) bool { return strings.Contains(series, `0{`) })
	s.mu.Unlock()
	before := len(s.seen())
	require.NoError(t, e.ConsumeMetrics(t.Context(), md))
	assert.LessOrEqual(t, len(s.seen())-before, 1+searchMost)
	bodies, _ := open(t, dir)
	require.Len(t, bodies, 1)
	assert.Equal(t, metrics.Len(), len(bodies[0].series)+s.kept2000(), "every point is in the server or in the letter")
}

// kept2000 returns the number of samples with timestamp 2000.
func (s *server) kept2000() int {
	n := 0
	for _, samples := range s.store() {
		if slices.ContainsFunc(samples, func(s sample) bool { return s.at == 2000 }) {
			n++
		}
	}
	return n
}

func TestWholeRequestIsRefusedWhereItIsNotAboutTheData(t *testing.T) {
	s := newServer(t, func(http.ResponseWriter, int, received) (int, string) {
		return http.StatusUnsupportedMediaType, "no such version"
	})
	dir := t.TempDir()
	e := start(t, s.URL, letters(dir))
	require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000, 7, "a", "b")))
	assert.Len(t, s.seen(), 1, "no search")
	bodies, notes := open(t, dir)
	require.Len(t, bodies, 1)
	assert.Len(t, bodies[0].series, 2)
	assert.Equal(t, "415", notes[0].Attributes["status"])
}

func TestWithoutDeadLettersARefusalIsAPermanentError(t *testing.T) {
	s := newServer(t, refuseBad(isBad))
	e := start(t, s.URL, nil)
	err := e.ConsumeMetrics(t.Context(), gauges(1000, 7, "bad", "good"))
	require.ErrorContains(t, err, "1 samples rejected: 400 Bad Request: out of order sample")
	assert.True(t, consumererror.IsPermanent(err))
	assert.Equal(t, map[string][]sample{`good{job="shop"}`: {{1000, 7}}}, s.store(), "the rest is written")
	assert.EqualValues(t, 1, e.counter(t, "refused_samples"))
	assert.Equal(t, 1, e.log.FilterMessageSnippet("set dead_letter::directory to keep them").Len())
}

func TestUnwritableDeadLetterIsTriedAgain(t *testing.T) {
	s := newServer(t, refuseBad(isBad))
	dir := t.TempDir()
	e := start(t, s.URL, letters(dir))
	own := filepath.Join(dir, "exporter_prometheus_remote_write")
	require.NoError(t, os.Remove(own))
	require.NoError(t, os.WriteFile(own, nil, 0o600))
	err := e.ConsumeMetrics(t.Context(), gauges(1000, 7, "bad"))
	require.ErrorContains(t, err, "cannot write dead letters: ")
	assert.False(t, consumererror.IsPermanent(err))

	require.NoError(t, os.Remove(own))
	require.NoError(t, os.Mkdir(own, 0o700))
	require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000, 7, "bad")))
	bodies, _ := open(t, dir)
	assert.Len(t, bodies, 1)
}

// A full dead letter discards its oldest entries and does not block other samples.
func TestFullDeadLetterBlocksNothing(t *testing.T) {
	s := newServer(t, refuseBad(isBad))
	dir := t.TempDir()
	e := start(t, s.URL, func(c *Config) { c.DeadLetter = deadletter.Config{Directory: dir, MaxBytes: 16 << 10} })
	for i := range 100 {
		require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(int64(1000+i), 7, "good", "bad")))
	}
	assert.Len(t, s.store()[`good{job="shop"}`], 100)
	bodies, _ := open(t, dir)
	assert.Greater(t, len(bodies), 10)
	assert.EqualValues(t, 100, e.counter(t, "dead_letters"))
	assert.EqualValues(t, 100-len(bodies), e.counter(t, "dead_letters_discarded"))
}

func TestDeadLetterFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	cfg := createDefaultConfig().(*Config)
	cfg.DeadLetter.Directory = file
	w, err := newWriter(cfg, nopSettings())
	require.NoError(t, err)
	require.ErrorContains(t, w.start(t.Context(), nopHost()), "dead_letter::directory: ")
	require.NoError(t, w.shutdown(t.Context()))
}

func TestRefusalThenFaultSendsTheWholeRequestAgain(t *testing.T) {
	faulty := true
	bad := refuseBad(isBad)
	s := newServer(t, func(w http.ResponseWriter, n int, r received) (int, string) {
		if _, ok := r.series[`good_00003{job="shop"}`]; ok && faulty && len(r.series) < 3 {
			faulty = false
			return http.StatusServiceUnavailable, ""
		}
		return bad(w, n, r)
	})
	dir := t.TempDir()
	e := start(t, s.URL, with(retrying, letters(dir)))
	require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000, 7, append(numbered("good", 4), "bad")...)))
	assert.Len(t, s.store(), 4)
	bodies, _ := open(t, dir)
	require.Len(t, bodies, 1, "one letter, though the search was made twice")
	assert.Equal(t, 1, bodies[0].samples())
}

func TestMetadataIsSentWithVersion1WhereAsked(t *testing.T) {
	s := newServer(t, nil)
	e := start(t, s.URL, func(c *Config) { c.SendMetadata = true })
	require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000, 7, "load")))
	assert.Equal(t, map[string]string{"load": "help of load"}, s.seen()[0].help)

	e = start(t, s.URL, message(messageV2))
	require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000, 7, "load")))
	assert.Equal(t, map[string]string{`load{job="shop"}`: "help of load"}, s.seen()[1].help)
}
