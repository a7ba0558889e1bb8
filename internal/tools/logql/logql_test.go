// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package logql

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/grafana/loki/v3/pkg/logql/syntax"
	"github.com/prometheus/prometheus/model/labels"
)

// annotation returns the query of the annotations from Loki of a dashboard.
func annotation(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Annotations struct {
			List []struct {
				Expr       string
				Datasource struct{ Type string }
			}
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, a := range board.Annotations.List {
		if a.Datasource.Type == "loki" {
			return a.Expr
		}
	}
	t.Fatalf("%s has no annotations from Loki", file)
	return ""
}

// TestAnnotations runs the query on records as Loki's OTLP endpoint stores them: the service is a label of the stream, and
// attributes of a record are structured metadata, with _ in place of dots.
func TestAnnotations(t *testing.T) {
	files, err := filepath.Glob("../../../dashboards/grafana/provisioning/dashboards/auspex/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no dashboards", err)
	}
	for _, file := range files {
		query := annotation(t, file)
		selector, err := syntax.ParseLogSelector(query, true)
		if err != nil {
			t.Fatalf("%s: %s: %v", file, query, err)
		}
		pipeline, err := selector.Pipeline()
		if err != nil {
			t.Fatalf("%s: %s: %v", file, query, err)
		}
		for _, c := range []struct {
			name             string
			stream, metadata labels.Labels
			want             bool
		}{
			{"open incident", labels.FromStrings("service_name", "checkout"), labels.FromStrings("incident_state", "open", "incident_id", "1"), true},
			{"closed incident", labels.FromStrings("service_name", "checkout"), labels.FromStrings("incident_state", "closed", "incident_id", "1"), true},
			{"anomaly", labels.FromStrings("service_name", "checkout"), labels.FromStrings("anomaly_state", "open", "incident_id", "1"), false},
			{"record of an application", labels.FromStrings("service_name", "checkout"), labels.EmptyLabels(), false},
			{"stream without a service", labels.FromStrings("job", "checkout"), labels.FromStrings("incident_state", "open"), false},
		} {
			got := true
			for _, m := range selector.Matchers() {
				got = got && m.Matches(c.stream.Get(m.Name))
			}
			if got {
				_, _, got = pipeline.ForStream(c.stream).ProcessString(time.Now().UnixNano(), "checkout is slow", c.metadata)
			}
			if got != c.want {
				t.Errorf("%s: %s: %s: found is %v", filepath.Base(file), query, c.name, got)
			}
		}
	}
}
