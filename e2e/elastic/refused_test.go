// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testMappingConflict(s *suite) {
	folder := s.t.TempDir()
	write := s.logs(map[string]any{"dead_letter": map[string]any{"directory": folder}})
	ld := lines("conflict", "first", "second", "third")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(0).Attributes().PutInt("n", 1)
	records.At(1).Attributes().PutStr("n", "many")
	require.NoError(s.t, write(ld))
	assert.Len(s.t, s.search("logs-conflict.otel-default", ""), 2, "its neighbours are written")

	letters := deadLetters(s.t, folder)
	require.Len(s.t, letters, 1)
	assert.EqualValues(s.t, 400, letters[0]["status"])
	assert.Equal(s.t, "document_parsing_exception", letters[0]["type"])
	assert.Contains(s.t, letters[0]["reason"], "attributes.n")
	assert.Equal(s.t, map[string]any{"text": "second"}, letters[0]["document"].(map[string]any)["body"])
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
	assert.Len(s.t, hits, 2, "the one with the cleaned name, and the one of the long id")
	assert.Len(s.t, deadLetters(s.t, folder), 2)
}

// deadLetters reads the one file of dead letters below a folder.
func deadLetters(t *testing.T, folder string) (letters []map[string]any) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "exporter_elasticsearch*", "logs.jsonl"))
	require.NoError(t, err)
	require.Len(t, paths, 1)
	file, err := os.Open(paths[0])
	require.NoError(t, err)
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		var letter map[string]any
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &letter))
		letters = append(letters, letter)
	}
	return letters
}
