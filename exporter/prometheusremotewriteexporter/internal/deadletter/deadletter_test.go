// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLetterIsABodyAndItsReason(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "not", "there", "yet")
	f, err := Open(parent, "prometheus_remote_write/a:b", 1<<20)
	require.NoError(t, err)
	file, evicted, err := f.Put([]byte("body"), Note{Status: 400, Reason: "out of \"order\"", Series: 2, Samples: 3, Version: "0.1.0"})
	require.NoError(t, err)
	assert.Zero(t, evicted)
	assert.Equal(t, filepath.Join(parent, "prometheus_remote_write_a_b"), filepath.Dir(file))
	body, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "body", string(body))
	note, err := os.ReadFile(strings.TrimSuffix(file, ".snappy") + ".json")
	require.NoError(t, err)
	assert.Regexp(t, `^\{"time":"20.*Z","status":400,"reason":"out of \\"order\\"","series":2,"samples":3,.*"version":"0.1.0".*\}\n$`, string(note))
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestFullFolderLosesItsOldestLetters(t *testing.T) {
	parent := t.TempDir()
	f, err := Open(parent, "c", 10_000)
	require.NoError(t, err)
	var files []string
	lost := 0
	for range 10 {
		file, evicted, err := f.Put(make([]byte, 2000), Note{})
		require.NoError(t, err)
		files = append(files, file)
		lost += evicted
	}
	assert.Equal(t, 6, lost)
	for i, file := range files {
		if i < lost {
			assert.NoFileExists(t, file)
			assert.NoFileExists(t, strings.TrimSuffix(file, ".snappy")+".json")
		} else {
			assert.FileExists(t, file)
		}
	}

	f, err = Open(parent, "c", 10_000)
	require.NoError(t, err)
	_, evicted, err := f.Put(make([]byte, 2000), Note{})
	require.NoError(t, err)
	assert.Equal(t, 1, evicted, "what was there before a restart counts")

	for _, file := range files {
		require.NoError(t, remove(file))
	}
	_, evicted, err = f.Put(make([]byte, 2000), Note{})
	require.NoError(t, err)
	assert.Zero(t, evicted, "what an operator took away leaves room")

	_, evicted, err = f.Put(make([]byte, 50_000), Note{})
	require.NoError(t, err, "one that is larger than the folder is kept, alone")
	assert.Positive(t, evicted)
}

func TestHalfALetterOfACrashGoes(t *testing.T) {
	parent := t.TempDir()
	f, err := Open(parent, "c", 1000)
	require.NoError(t, err)
	half := filepath.Join(f.dir, "20260101T000000.000000000Z-000001.snappy.part")
	require.NoError(t, os.WriteFile(half, []byte("ha"), 0o600))
	_, err = Open(parent, "c", 1000)
	require.NoError(t, err)
	assert.NoFileExists(t, half)
}

func TestFailureLeavesNothing(t *testing.T) {
	f, err := Open(t.TempDir(), "c", 1000)
	require.NoError(t, err)
	require.NoError(t, os.Remove(f.dir))
	_, _, err = f.Put([]byte("body"), Note{})
	require.Error(t, err)
	assert.Zero(t, f.size)
	require.NoError(t, os.Mkdir(f.dir, 0o700))
	_, _, err = f.Put([]byte("body"), Note{})
	require.NoError(t, err)
}

func TestPutFromManyGoroutines(t *testing.T) {
	f, err := Open(t.TempDir(), "c", 1<<20)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, _, err := f.Put([]byte("body"), Note{})
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	files, err := filepath.Glob(filepath.Join(f.dir, "*.snappy"))
	require.NoError(t, err)
	assert.Len(t, files, 20)
}
