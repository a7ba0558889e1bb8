// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjack

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
	lj "github.com/auspex-otel/auspex/internal/wire/lumberjack/lumberjacktest"
)

// allocated returns the number of bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// bomb returns a frame that expands to a thousand times its size.
func bomb(megabytes int) []byte {
	event := lj.JSON('2', 1, strings.Repeat("0", 1<<20))
	frames := make([][]byte, megabytes)
	for i := range frames {
		frames[i] = event
	}
	return lj.Join(lj.Window('2', uint32(megabytes)), lj.Compressed('2', frames...))
}

func TestZipBomb(t *testing.T) {
	limits := DefaultLimits()
	limits.Decompressed = 4 << 20
	for name, stream := range map[string][]byte{
		"flat":   bomb(16),
		"nested": lj.Join(lj.Window('2', 16), lj.Compressed('2', bomb(16)[6:])),
	} {
		t.Run(name, func(t *testing.T) {
			require.Less(t, len(stream), 20<<10)
			var err error
			got := 0
			used := allocated(func() {
				err = NewReader(bytes.NewReader(stream), limits, &memory{}).ReadWindow(func(Event) error { got++; return nil })
			})
			var fault *Error
			require.ErrorAs(t, err, &fault)
			assert.Equal(t, ReasonDecompressed, fault.Reason)
			assert.ErrorContains(t, err, "expands to more than the limit of 4194304 bytes")
			assert.Equal(t, 3, got)
			assert.Less(t, used, uint64(16<<20), "one event at a time")
		})
	}
	t.Run("at the limit", func(t *testing.T) {
		limits.Decompressed = 16 * (1<<20 + 10)
		require.NoError(t, NewReader(bytes.NewReader(bomb(16)), limits, &memory{}).ReadWindow(func(Event) error { return nil }))
		limits.Decompressed--
		require.Error(t, NewReader(bytes.NewReader(bomb(16)), limits, &memory{}).ReadWindow(func(Event) error { return nil }))
	})
}

// Announced sizes allocate nothing: memory grows with the received bytes.
func TestClaimsAllocateNothing(t *testing.T) {
	limits := Limits{Window: 1 << 30, Event: 1 << 30, Pairs: 1 << 30, Compressed: 1 << 30, Decompressed: 1 << 30, Nesting: 2}
	for name, stream := range map[string][]byte{
		"window":     lj.Window('2', 1<<30),
		"event":      lj.Join(lj.Window('2', 1), []byte("2J\x00\x00\x00\x01\x3f\xff\xff\xff{")),
		"pairs":      lj.Join(lj.Window('1', 1), []byte("1D\x00\x00\x00\x01\x3f\xff\xff\xff")),
		"key":        lj.Join(lj.Window('1', 1), []byte("1D\x00\x00\x00\x01\x00\x00\x00\x01\x3f\xff\xff\xffkey")),
		"compressed": lj.Join(lj.Window('2', 1), []byte("2C\x3f\xff\xff\xff\x78\x9c")),
	} {
		var err error
		used := allocated(func() {
			err = NewReader(bytes.NewReader(stream), limits, &memory{}).ReadWindow(func(Event) error { return nil })
		})
		var fault *Error
		require.ErrorAs(t, err, &fault, name)
		assert.Equal(t, ReasonTruncated, fault.Reason, name)
		assert.Less(t, used, uint64(128<<10), name)
	}
}

func FuzzReader(f *testing.F) {
	for _, tt := range wrongStreams {
		f.Add(tt.stream)
	}
	captures, err := filepath.Glob(peertest.TestData(f, "wire", "lumberjack", "*.bin"))
	require.NoError(f, err)
	require.NotEmpty(f, captures)
	for _, name := range captures {
		stream, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(stream)
	}
	f.Add(lj.Join(lj.Window('1', 2), lj.Compressed('1', lj.Compressed('1', lj.Data('1', 1, "k", "v")), lj.Data('1', 2))))
	f.Fuzz(func(t *testing.T, stream []byte) {
		windows, err := read(bytes.NewReader(stream), small)
		for _, events := range windows {
			if len(events) > small.Window {
				t.Fatalf("a window of %d events", len(events))
			}
		}
		var fault *Error
		if err != nil {
			if !errors.As(err, &fault) {
				t.Fatalf("an error without a type: %v", err)
			}
			if fault.Offset < 0 || fault.Offset > int64(len(stream)) {
				t.Fatalf("the fault is at byte %d of %d", fault.Offset, len(stream))
			}
		}
		slow, slowErr := read(iotest.OneByteReader(bytes.NewReader(stream)), small)
		if !assert.ObjectsAreEqual(windows, slow) || (err == nil) != (slowErr == nil) || err != nil && err.Error() != slowErr.Error() {
			t.Fatalf("what is read depends on how the bytes arrive:\n%q %v\n%q %v", windows, err, slow, slowErr)
		}
	})
}

func BenchmarkReadWindow(b *testing.B) {
	contents := make([]string, 1000)
	for i := range contents {
		contents[i] = `{"@timestamp":"2026-11-22T10:00:00.000Z","message":"` + strings.Repeat("x", 200) + `"}`
	}
	plain := lj.Batch(contents...)
	for name, stream := range map[string][]byte{"plain": plain, "compressed": lj.Join(plain[:6], lj.Compressed('2', plain[6:]))} {
		b.Run(name, func(b *testing.B) {
			r := NewReader(&loop{content: stream}, DefaultLimits(), &memory{})
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				if err := r.ReadWindow(func(Event) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// loop repeats its content without end.
type loop struct {
	content []byte
	at      int
}

func (l *loop) Read(p []byte) (int, error) {
	if l.at == len(l.content) {
		l.at = 0
	}
	n := copy(p, l.content[l.at:])
	l.at += n
	return n, nil
}
