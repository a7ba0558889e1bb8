// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// differs lists the fields that differ between any two runs of Filebeat: the time of reading, the instance, and the
// file.
var differs = []string{"@timestamp", "agent.ephemeral_id", "agent.id", "log.file.path", "sender", "message"}

// TestFilebeatDocumentsAreUnchanged compares documents that Filebeat wrote directly to Elasticsearch with those that
// passed through the collector, field by field, in mode ecs. It covers both outputs of Filebeat.
func TestFilebeatDocumentsAreUnchanged(t *testing.T) {
	d := startElasticReceivers(t)
	const count = 1000
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	const own = "\nsetup.ilm.enabled: false\nsetup.template.enabled: false"
	// The names have equal lengths, because the offsets of events in their files are compared too.
	for name, output := range map[string]string{
		"direct": "output.elasticsearch: {hosts: ['" + d.es.URL + "'], index: receivers-direct}" + own,
		"bybulk": "output.elasticsearch: {hosts: ['http://" + d.bulk + "'], index: receivers-bulk}" + own,
		"bylogs": "output.logstash: {hosts: ['" + d.lumberjack + "']}",
	} {
		require.NoError(t, d.sendWithFilebeat(output)(ctx, name, count), name)
	}
	direct := d.documents(t, "direct")
	if len(direct) != count {
		said, _ := os.ReadFile(filepath.Join(d.folder, "direct", "filebeat.log"))
		t.Fatalf("Elasticsearch has %d documents that Filebeat wrote directly; Filebeat's log:\n%s", len(direct), said[max(0, len(said)-5000):])
	}
	for name, added := range map[string][]string{
		"bybulk": nil,
		// Lumberjack does not name an index, so these documents go to a data stream, and contain its name.
		"bylogs": {"data_stream.dataset", "data_stream.namespace", "data_stream.type"},
	} {
		through := d.documents(t, name)
		require.Len(t, through, count, "%s; %s", name, d.lettersOf(t))
		fields, changed := 0, map[string]int{}
		for n, want := range direct {
			got := through[n]
			for _, field := range added {
				assert.Contains(t, got, field)
				delete(got, field)
			}
			for field := range union(want, got) {
				fields++
				a, before := want[field]
				b, after := got[field]
				switch {
				case before != after:
					changed[field]++
				case !slices.Contains(differs, field) && !assert.ObjectsAreEqual(a, b):
					changed[field]++
				}
			}
		}
		t.Logf("%s: %d documents, %d fields compared, %d fields differ", name, count, fields, len(changed))
		assert.Empty(t, changed, "%s: differing fields and the number of documents", name)
	}
}

// lettersOf returns the first dead letters of the Elasticsearch exporter as text.
func (d *elasticReceivers) lettersOf(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(d.State, "dead_letter", "*", "*"))
	require.NoError(t, err)
	said := "no dead letters"
	for _, file := range files {
		if text, _ := os.ReadFile(file); len(text) > 0 {
			said = fmt.Sprintf("%s: %s", file, text[:min(len(text), 1000)])
		}
	}
	return said
}

// documents returns the documents of a sender by their number, as fields with dotted names.
func (d *elasticReceivers) documents(t *testing.T, sender string) map[int]map[string]any {
	t.Helper()
	hits, err := d.es.Search(t.Context(), "*", fmt.Sprintf(`{"bool":{"filter":[{"match":{"run":%q}},{"match_phrase":{"sender":%q}}]}}`, d.run, sender))
	require.NoError(t, err)
	all := map[int]map[string]any{}
	for _, h := range hits {
		n, _ := h.Source["n"].(float64)
		fields := map[string]any{}
		dotted("", h.Source, fields)
		all[int(n)] = fields
	}
	return all
}

// union returns the names of both maps.
func union(a, b map[string]any) map[string]bool {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return all
}

func dotted(prefix string, object, into map[string]any) {
	for k, v := range object {
		if inner, ok := v.(map[string]any); ok && len(inner) > 0 {
			dotted(prefix+k+".", inner, into)
			continue
		}
		into[prefix+k] = v
	}
}
