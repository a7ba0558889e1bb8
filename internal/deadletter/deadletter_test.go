// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/internal/excerpt"
)

var id = component.MustNewIDWithName("lumberjack", "a/b")

func newWriter(dir string, maxBytes int64) *Writer {
	return New(Config{Directory: dir, MaxBytes: maxBytes}, component.KindReceiver, id, zap.NewNop())
}

// all returns every letter below a directory.
func all(t *testing.T, dir string) (letters []Letter, damaged int) {
	t.Helper()
	damaged, err := Read(dir, func(l Letter) error { letters = append(letters, l); return nil })
	require.NoError(t, err)
	return letters, damaged
}

// payloads returns the payloads of the letters as text.
func payloads(t *testing.T, dir string) (texts []string) {
	t.Helper()
	letters, _ := all(t, dir)
	for _, l := range letters {
		texts = append(texts, string(l.Payload))
	}
	return texts
}

func numbered(from, to int) (letters []Letter) {
	for i := from; i < to; i++ {
		letters = append(letters, Letter{Items: 1, Reason: "why", Payload: Payload(fmt.Sprintf("%03d %s", i, strings.Repeat("x", 900)))})
	}
	return letters
}

// diskSize returns the size of a folder on disk.
func diskSize(t *testing.T, w *Writer) (size int64) {
	t.Helper()
	segments, err := segments(w.Folder())
	require.NoError(t, err)
	for _, s := range segments {
		size += s.size
	}
	return size
}

func TestLetterIsWrittenAsDocumented(t *testing.T) {
	dir := t.TempDir()
	w := newWriter(dir, 1<<20)
	assert.Equal(t, filepath.Join(dir, "receiver_lumberjack_a_b"), w.Folder())
	_, err := w.Write([]Letter{
		{Signal: "logs", Items: 1, Reason: "<bad>\n" + strings.Repeat("x", 2000), Attributes: map[string]string{"peer": "10.0.0.1:9"}, Payload: Payload("{\"a\" : [1]}")},
		{Items: 1, Reason: "why", Payload: Payload("<&> no JSON")},
		{Items: 2, Reason: "why", Payload: Payload("\xff\xfe")},
		{Items: 1, Reason: "why", Payload: Payload("")},
	})
	require.NoError(t, err)
	segments, err := segments(w.Folder())
	require.NoError(t, err)
	require.Len(t, segments, 1)
	assert.Regexp(t, `^00000001-\d{8}T\d{6}Z\.jsonl$`, filepath.Base(segments[0].path))
	text, err := os.ReadFile(segments[0].path)
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	require.Len(t, lines, 5)
	const head = `^{"time":"20\d\d-[^"]+Z","component":"receivers::lumberjack/a/b",`
	assert.Regexp(t, head+`"signal":"logs","items":1,"reason":"<bad> x+…","attributes":{"peer":"10.0.0.1:9"},"payload":{"json":{"a":\[1\]}}}$`, lines[0])
	assert.Regexp(t, head+`"items":1,"reason":"why","payload":{"text":"<&> no JSON"}}$`, lines[1])
	assert.Regexp(t, head+`"items":2,"reason":"why","payload":{"base64":"//4="}}$`, lines[2])
	assert.Regexp(t, head+`"items":1,"reason":"why","payload":{"text":""}}$`, lines[3])
	assert.Empty(t, lines[4])
	info, err := os.Stat(segments[0].path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	letters, damaged := all(t, dir)
	assert.Zero(t, damaged)
	require.Len(t, letters, 4)
	assert.WithinDuration(t, time.Now(), letters[0].Time, time.Minute)
	assert.LessOrEqual(t, len(letters[0].Reason), excerpt.Max+len("…"))
	assert.Equal(t, []string{`{"a":[1]}`, "<&> no JSON", "\xff\xfe", ""}, payloads(t, dir))
}

func TestFullFolderDiscardsTheOldest(t *testing.T) {
	dir := t.TempDir()
	core, log := observer.New(zap.ErrorLevel)
	w := New(Config{Directory: dir, MaxBytes: 32 << 10}, component.KindReceiver, id, zap.New(core))
	discarded := 0
	for i := range 100 {
		n, err := w.Write(numbered(i, i+1))
		require.NoError(t, err)
		discarded += n
		require.LessOrEqual(t, diskSize(t, w), int64(32<<10))
	}
	got := payloads(t, dir)
	assert.Len(t, got, 100-discarded)
	assert.Greater(t, len(got), 20, "an eighth goes at a time")
	for i, text := range got {
		assert.Equal(t, fmt.Sprintf("%03d", discarded+i), text[:3], "the newest are there, in order")
	}
	require.Equal(t, 1, log.Len(), "once a minute")
	assert.Contains(t, log.All()[0].Message, "oldest entries were discarded")

	// A single call exceeds the folder.
	n, err := w.Write(numbered(100, 200))
	require.NoError(t, err)
	got = append(got, make([]string, 100)...)
	assert.Len(t, payloads(t, dir), len(got)-n)
	assert.Equal(t, "199", payloads(t, dir)[len(got)-n-1][:3])
	assert.LessOrEqual(t, diskSize(t, w), int64(32<<10))

	// The limit is smaller after a restart.
	w = newWriter(dir, minMaxBytes)
	_, err = w.Write(numbered(200, 201))
	require.NoError(t, err)
	assert.LessOrEqual(t, diskSize(t, w), int64(minMaxBytes))
	assert.Equal(t, "200", payloads(t, dir)[len(payloads(t, dir))-1][:3])
}

func TestPayloadLargerThanTheFolderIsOmitted(t *testing.T) {
	dir := t.TempDir()
	w := newWriter(dir, minMaxBytes)
	n, err := w.Write(append(numbered(0, 1), Letter{Items: 7, Reason: "too large", Payload: make(Payload, 20_000)}))
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	letters, _ := all(t, dir)
	require.Len(t, letters, 2)
	assert.Equal(t, Letter{Time: letters[1].Time, Component: letters[1].Component, Items: 7, Reason: "too large", OmittedBytes: 20_000}, letters[1])

	n, err = w.Write([]Letter{{Items: 1, Payload: Payload(strings.Repeat("\xff", 12_000))}})
	require.NoError(t, err, "it fills the folder alone")
	assert.Equal(t, 2, n)
	assert.Len(t, payloads(t, dir), 1)
	_, err = w.Write([]Letter{{Attributes: map[string]string{"key": strings.Repeat("x", 20_000)}}})
	require.ErrorContains(t, err, "dead_letter::max_bytes is 16384")
}

func TestFilesMayBeMovedAway(t *testing.T) {
	dir := t.TempDir()
	w := newWriter(dir, 1<<20)
	for range 2 {
		_, err := w.Write(numbered(0, 1))
		require.NoError(t, err)
		require.Len(t, payloads(t, dir), 1)
		require.NoError(t, os.RemoveAll(w.Folder()))
	}
}

func TestLineThatACrashCutOffSpoilsNoOther(t *testing.T) {
	dir := t.TempDir()
	w := newWriter(dir, 1<<20)
	_, err := w.Write(numbered(0, 1))
	require.NoError(t, err)
	list, err := segments(w.Folder())
	require.NoError(t, err)
	file, err := os.OpenFile(list[0].path, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = file.WriteString(`{"time":"20`)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.NoError(t, os.WriteFile(filepath.Join(w.Folder(), "notes.txt"), []byte("not a segment"), 0o600))
	_, err = newWriter(dir, 1<<20).Write(numbered(1, 2))
	require.NoError(t, err)
	letters, damaged := all(t, dir)
	assert.Len(t, letters, 2)
	assert.Equal(t, 1, damaged)
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	w := newWriter(file, 1<<20)
	require.Error(t, w.Prepare())
	_, err := w.Write(numbered(0, 1))
	require.ErrorContains(t, err, "cannot write dead letters: ")
	require.NoError(t, os.Remove(file))
	require.NoError(t, w.Prepare())
	_, err = w.Write(numbered(0, 1))
	require.NoError(t, err)
	entries, err := os.ReadDir(w.Folder())
	require.NoError(t, err)
	assert.Len(t, entries, 1, "the probe is gone")
}

func TestWritersOfOneComponentShareItsFolder(t *testing.T) {
	dir := t.TempDir()
	var wait sync.WaitGroup
	var mu sync.Mutex
	discarded := 0
	for i := range 30 {
		wait.Go(func() {
			n, err := newWriter(dir, 64<<10).Write(numbered(10*i, 10*i+10))
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			discarded += n
		})
	}
	wait.Wait()
	letters, damaged := all(t, dir)
	assert.Equal(t, 300, len(letters)+discarded)
	assert.Zero(t, damaged)
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	damaged, err := Read(filepath.Join(dir, "nowhere"), nil)
	require.NoError(t, err)
	assert.Zero(t, damaged)
	_, err = newWriter(dir, 1<<20).Write(numbered(0, 3))
	require.NoError(t, err)
	enough, seen := errors.New("enough"), 0
	_, err = Read(dir, func(Letter) error { seen++; return enough })
	require.ErrorIs(t, err, enough)
	assert.Equal(t, 1, seen)
	require.Error(t, new(Payload).UnmarshalJSON([]byte(`{"hex":"00"}`)))
	require.Error(t, new(Payload).UnmarshalJSON([]byte(`1`)))
}

func TestConfig(t *testing.T) {
	cfg := NewDefaultConfig()
	require.NoError(t, confmap.Validate(&cfg))
	assert.Nil(t, New(cfg, component.KindExporter, id, zap.NewNop()), "without a directory there are none")
	cfg.MaxBytes = 1
	require.ErrorContains(t, confmap.Validate(&cfg), "max_bytes: is 1, it must be at least 16384")
}
