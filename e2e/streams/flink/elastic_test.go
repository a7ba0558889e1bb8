// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package flink

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// checkElasticsearch sends a topic of findings through a collector to Elasticsearch, and checks that the last states of
// its documents are the expected findings.
func checkElasticsearch(t *testing.T, broker *peertest.Kafka, topic string, expected findings) {
	t.Helper()
	es := peertest.StartElasticsearch(t, 8)
	defer es.Stop()
	config, err := os.ReadFile(filepath.Join("testdata", "collector.yaml"))
	require.NoError(t, err)
	collector := peertest.StartCollector(t, peertest.CollectorOptions{
		Config: string(config), Env: []string{"E2E_KAFKA=" + broker.Address, "E2E_ELASTICSEARCH=" + es.URL, "E2E_FINDINGS=" + topic},
	})
	defer collector.Stop()
	var want []string
	for _, updates := range expected {
		for _, u := range updates {
			var record struct {
				Event      string         `json:"event"`
				Attributes map[string]any `json:"attributes"`
			}
			require.NoError(t, json.Unmarshal([]byte(u.record), &record))
			want = append(want, document(t, record.Event, record.Attributes))
		}
	}
	slices.Sort(want)
	var have []string
	within := time.Minute
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(time.Second) {
		if have = documents(t, es); slices.Equal(want, have) {
			t.Logf("Elasticsearch has %d documents with the findings of auspex backtest", len(have))
			return
		}
	}
	checkEqual(t, want, have, "documents in Elasticsearch after %v", within)
}

// documents returns the last states of all anomalies and incidents, sorted.
func documents(t *testing.T, es *peertest.Elasticsearch) (list []string) {
	t.Helper()
	hits, err := es.Search(t.Context(), "auspex-incidents", "")
	require.NoError(t, err)
	for _, h := range hits {
		list = append(list, document(t, vocabulary.EventIncident, h.Source["attributes"]))
	}
	hits, err = es.Search(t.Context(), "logs-auspex.anomaly.otel-*", "")
	require.NoError(t, err)
	slices.SortStableFunc(hits, func(a, b peertest.Hit) int {
		return strings.Compare(fmt.Sprint(a.Source["@timestamp"]), fmt.Sprint(b.Source["@timestamp"]))
	})
	last := map[string]any{}
	for _, h := range hits {
		attributes := h.Source["attributes"].(map[string]any)
		last[fmt.Sprint(attributes[vocabulary.AttrAnomalyID])] = attributes
	}
	for _, attributes := range last {
		list = append(list, document(t, vocabulary.EventAnomaly, attributes))
	}
	slices.Sort(list)
	return list
}

// document returns the attributes of a document. The exporter adds an id to each log record.
func document(t *testing.T, event string, attributes any) string {
	t.Helper()
	delete(attributes.(map[string]any), vocabulary.RecordUID)
	text, err := json.Marshal(attributes)
	require.NoError(t, err)
	return event + " " + string(text)
}
