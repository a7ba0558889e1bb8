// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/peertest"
)

// newRun returns this run's random id.
func newRun() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// seed returns and logs the seed of the random numbers: AUSPEX_E2E_SEED, or otherwise if it is not set.
func seed(t *testing.T, otherwise uint64) uint64 {
	t.Helper()
	s := otherwise
	if text := os.Getenv("AUSPEX_E2E_SEED"); text != "" {
		var err error
		s, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "AUSPEX_E2E_SEED")
	}
	t.Logf("seed %d: AUSPEX_E2E_SEED=%d repeats it", s, s)
	return s
}

// config reads a configuration from testdata.
func config(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(text)
}

// keep writes a raw response into out/<test>/name and returns the path.
func keep(t *testing.T, name string, raw []byte) string {
	t.Helper()
	file := filepath.Join("out", t.Name(), name)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	return file
}

// console is a client of a collector's API.
type console struct{ address string }

func (c console) get(path string, query url.Values, into any) error {
	res, err := http.Get("http://" + c.address + path + "?" + query.Encode())
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s answers %s: %s", path, res.Status, b)
	}
	return json.Unmarshal(b, into)
}

func (c console) status() (s engine.Status, err error) {
	err = c.get("/api/v1/status", nil, &s)
	return s, err
}

// incidents lists all incidents that the engine remembers.
func (c console) incidents() ([]incident.Incident, error) {
	var list struct {
		Incidents []incident.Incident `json:"incidents"`
	}
	err := c.get("/api/v1/incidents", url.Values{"state": {"all"}}, &list)
	return list.Incidents, err
}

func (c console) openAnomalies() ([]incident.Anomaly, error) {
	var list struct {
		Anomalies []incident.Anomaly `json:"anomalies"`
	}
	err := c.get("/api/v1/anomalies", nil, &list)
	return list.Anomalies, err
}

// series lists the series of a service and a metric. Each may be "" for all.
func (c console) series(service, metric string) ([]engine.SeriesView, error) {
	q := url.Values{"limit": {"10000"}}
	if service != "" {
		q.Set("service", service)
	}
	if metric != "" {
		q.Set("metric", metric)
	}
	var list struct {
		Series []engine.SeriesView `json:"series"`
	}
	err := c.get("/api/v1/series", q, &list)
	return list.Series, err
}

// mustStatus returns the status and fails the test on an error.
func (c console) mustStatus(t *testing.T) engine.Status {
	t.Helper()
	s, err := c.status()
	require.NoError(t, err)
	return s
}

// ask evaluates an expression and keeps the raw response under name.
func ask(t *testing.T, p *peertest.Prometheus, name, expr string, at time.Time) peertest.Answer {
	t.Helper()
	a, err := p.Query(context.Background(), expr, at)
	keep(t, name+".json", a.Raw)
	require.NoError(t, err, "%s", name)
	return a
}

// labeled returns the only series of an answer with the given labels.
func labeled(a peertest.Answer, labels map[string]string) (peertest.Series, error) {
	var found []peertest.Series
	for _, s := range a.Series {
		if has(s.Labels, labels) {
			found = append(found, s)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	var names []string
	for _, s := range a.Series {
		names = append(names, fmt.Sprint(s.Labels))
	}
	return peertest.Series{}, fmt.Errorf("%d series have the labels %v, expected one; the answer has %d:\n%s",
		len(found), labels, len(a.Series), strings.Join(names, "\n"))
}

// has reports whether labels contain all wanted ones. "" means that the label is absent.
func has(labels, wanted map[string]string) bool {
	for k, v := range wanted {
		if labels[k] != v {
			return false
		}
	}
	return true
}
