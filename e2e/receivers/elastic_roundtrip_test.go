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

// differs are the fields that two runs of Filebeat fill differently by
// themselves: when a line was read, and which instance read it, from which file.
var differs = []string{"@timestamp", "agent.ephemeral_id", "agent.id", "log.file.path", "sender", "message"}

// TestFilebeatDocumentsAreUnchanged compares documents that Filebeat wrote to
// Elasticsearch itself with those that went through the collector, by both of
// Filebeat's outputs, field by field, in mode ecs.
func TestFilebeatDocumentsAreUnchanged(t *testing.T) {
	d := startElasticReceivers(t)
	const count = 1000
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	const own = "\nsetup.ilm.enabled: false\nsetup.template.enabled: false"
	// Names of one length: an event's offset in its file is compared too.
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
		t.Fatalf("%d documents are in Elasticsearch without the collector; Filebeat said:\n%s", len(direct), said[max(0, len(said)-5000):])
	}
	for name, added := range map[string][]string{
		"bybulk": nil,
		// Lumberjack names no index, so these go to a data stream, whose name is in the document.
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
		assert.Empty(t, changed, "%s: fields, and in how many documents they differ", name)
	}
}

// lettersOf returns the first dead letters of the Elasticsearch exporter.
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

// documents are those of a sender by their number, as fields with dotted names.
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

// union holds the names of both.
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
