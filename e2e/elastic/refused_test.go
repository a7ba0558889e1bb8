// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/deadletter"
)

func testMappingConflict(s *suite) {
	folder := s.t.TempDir()
	write := s.logs(map[string]any{"dead_letter": map[string]any{"directory": folder}})
	ld := lines("conflict", "first", "second", "third")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(0).Attributes().PutInt("n", 1)
	records.At(1).Attributes().PutStr("n", "many")
	require.NoError(s.t, write(ld))
	assert.Len(s.t, s.search("logs-conflict.otel-default", ""), 2, "the other documents of the request are written")

	letters := deadLetters(s.t, folder)
	require.Len(s.t, letters, 1)
	assert.Equal(s.t, "400", letters[0].Attributes["status"])
	assert.Equal(s.t, "document_parsing_exception", letters[0].Attributes["type"])
	assert.Contains(s.t, letters[0].Reason, "attributes.n")
	assert.Contains(s.t, string(letters[0].Payload), `"body":{"text":"second"}`)
}

func testBadNames(s *suite) {
	folder := s.t.TempDir()
	write := s.logs(map[string]any{"dead_letter": map[string]any{"directory": folder}})
	ld := lines("Bad/NAME with-dash", "cleaned", "upper", "empty key", "long id", "long id")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(1).Attributes().PutStr("elasticsearch.index", "UPPER")
	records.At(2).Attributes().PutStr("", "x")
	records.At(3).Attributes().PutStr("log.record.uid", strings.Repeat("x", 600))
	records.At(4).Attributes().PutStr("log.record.uid", strings.Repeat("x", 600))
	require.NoError(s.t, write(ld))
	hits := s.search("logs-bad_name_with_dash.otel-default", "")
	assert.Len(s.t, hits, 3, "the documents with the cleaned name, the replaced empty key, and the long id")
	assert.Len(s.t, deadLetters(s.t, folder), 1, "the index in upper case")
}

// deadLetters reads the dead letters below a folder.
func deadLetters(t *testing.T, folder string) (letters []deadletter.Letter) {
	t.Helper()
	damaged, err := deadletter.Read(folder, func(l deadletter.Letter) error { letters = append(letters, l); return nil })
	require.NoError(t, err)
	assert.Zero(t, damaged)
	return letters
}
