// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type note struct {
	Reason string `json:"reason"`
}

const line = `{"reason":"<why>"}` + "\n"

// holds fails unless the file is these lines, to the byte.
func holds(t *testing.T, f *File, lines ...string) {
	t.Helper()
	b, err := os.ReadFile(f.Path())
	require.NoError(t, err)
	if want := strings.Join(lines, ""); string(b) != want {
		t.Errorf("%s holds %q, not %q", f.Path(), b, want)
	}
}

func TestAppend(t *testing.T) {
	f := New(filepath.Join(Folder(t.TempDir(), "receiver", "a/b"), "letters.jsonl"), 1000)
	assert.Equal(t, "receiver_a_b", filepath.Base(filepath.Dir(f.Path())))
	require.NoError(t, Append(f, []note{{"<why>"}, {"<why>"}}))
	require.NoError(t, Append(f, []note{{"<why>"}}))
	holds(t, f, line, line, line)
	info, err := os.Stat(f.Path())
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	require.NoError(t, os.Rename(f.Path(), f.Path()+".read"))
	require.NoError(t, Append(f, []note{{"<why>"}}), "the file may be moved away")
	holds(t, f, line)
}

func TestTornLineSpoilsNoOther(t *testing.T) {
	f := New(filepath.Join(t.TempDir(), "l"), 1000)
	require.NoError(t, f.Prepare())
	require.NoError(t, os.WriteFile(f.Path(), []byte(`{"rea`), 0o600))
	require.NoError(t, Append(f, []note{{"<why>"}}))
	holds(t, f, "{\"rea\n", line)
}

func TestFullFileKeepsWhatIsInIt(t *testing.T) {
	f := New(filepath.Join(t.TempDir(), "l"), int64(2*len(line)))
	require.ErrorContains(t, f.Room(0, 1), "dead_letter::max_bytes is 38")
	require.NoError(t, Append(f, []note{{"<why>"}}))
	require.ErrorContains(t, Append(f, []note{{"<why>"}, {"<why>"}}), "is full: it has 19 bytes")
	holds(t, f, line)
	require.NoError(t, Append(f, []note{{"<why>"}}))
	require.NoError(t, New(f.Path(), 1<<20).Room(10, 2))
}

func TestWhatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	f := New(filepath.Join(file, "l"), 1000)
	require.Error(t, f.Prepare())
	require.Error(t, f.Room(1, 1))
	require.Error(t, Append(f, []note{{"<why>"}}))
	require.Error(t, Append(New(filepath.Join(t.TempDir(), "l"), 1000), []func(){nil}), "what is no JSON")
}
