// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
	lj "github.com/auspex-otel/auspex/internal/wire/lumberjack/lumberjacktest"
)

// small holds limits that a test can reach.
var small = Limits{Window: 8, Event: 100, Pairs: 4, Compressed: 1000, Decompressed: 2000, Nesting: 2}

// memory limits the memory of readers; without a limit it grants all.
type memory struct{ limit, used, peak int }

func (m *memory) Reserve(n int) error {
	if m.limit > 0 && m.used+n > m.limit {
		return errNoMemory
	}
	m.used += n
	m.peak = max(m.peak, m.used)
	return nil
}

func (m *memory) Release(n int) { m.used -= n }

var errNoMemory = errors.New("no memory")

// read returns every event of a stream as text, window by window.
func read(in io.Reader, limits Limits) (windows [][]string, err error) {
	r := NewReader(in, limits, &memory{})
	for {
		var events []string
		err := r.ReadWindow(func(e Event) error {
			var text strings.Builder
			fmt.Fprintf(&text, "%c%d %s", e.Version, e.Sequence, e.JSON)
			for _, p := range e.Pairs {
				fmt.Fprintf(&text, "%s=%s ", p.Key, p.Value)
			}
			if e.Omitted > 0 {
				fmt.Fprintf(&text, "+%d", e.Omitted)
			}
			if e.Size() > limits.Event {
				return errors.New("an event above the limit")
			}
			events = append(events, strings.TrimSpace(text.String()))
			return nil
		})
		if err != nil {
			if len(events) > 0 {
				windows = append(windows, events)
			}
			if errors.Is(err, io.EOF) {
				return windows, nil
			}
			return windows, err
		}
		windows = append(windows, events)
	}
}

func TestWindows(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream []byte
		want   [][]string
	}{
		{"nothing", nil, nil},
		{"JSON", lj.Batch(`{"a":1}`, `{}`), [][]string{{`21 {"a":1}`, "22 {}"}}},
		{"what JSON holds is not looked at", lj.Batch("no {json", ""), [][]string{{"21 no {json", "22"}}},
		{"two windows", lj.Join(lj.Batch("{}"), lj.Batch("[]")), [][]string{{"21 {}"}, {"21 []"}}},
		{
			"version 1", lj.Join(lj.Window('1', 2), lj.Data('1', 7, "line", "hello", "host", "web"), lj.Data('1', 8)),
			[][]string{{"17 line=hello host=web", "18"}},
		},
		{
			"compressed", lj.Join(lj.Window('2', 2), lj.Compressed('2', lj.JSON('2', 1, "{}"), lj.JSON('2', 2, "[]"))),
			[][]string{{"21 {}", "22 []"}},
		},
		{
			"compressed, and not", lj.Join(lj.Window('2', 3), lj.JSON('2', 1, "a"), lj.Compressed('2', lj.JSON('2', 2, "b")), lj.JSON('2', 3, "c")),
			[][]string{{"21 a", "22 b", "23 c"}},
		},
		{
			"compressed twice", lj.Join(lj.Window('1', 2), lj.Compressed('1', lj.Compressed('1', lj.Data('1', 1, "k", "v")), lj.Data('1', 2))),
			[][]string{{"11 k=v", "12"}},
		},
		{
			"a version in each frame", lj.Join(lj.Window('2', 2), lj.JSON('1', 1, "{}"), lj.Data('2', 2, "k", "v")),
			[][]string{{"11 {}", "22 k=v"}},
		},
		{"empty windows", lj.Join(lj.Window('2', 0), lj.Batch("{}"), lj.Window('2', 0)), [][]string{nil, {"21 {}"}, nil}},
		{"an empty window, and nothing compressed", lj.Join(lj.Window('2', 0), lj.Compressed('2'), lj.Batch("{}")), [][]string{nil, nil, {"21 {}"}}},
		{
			"numbers are the sender's", lj.Join(lj.Window('2', 2), lj.JSON('2', 4294967295, "a"), lj.JSON('2', 0, "b")),
			[][]string{{"24294967295 a", "20 b"}},
		},
		{"an event of exactly the limit", lj.Batch(strings.Repeat("x", small.Event)), [][]string{{"21 " + strings.Repeat("x", small.Event)}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for how, in := range map[string]io.Reader{
				"whole": bytes.NewReader(tt.stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(tt.stream)),
				"end with data": iotest.DataErrReader(bytes.NewReader(tt.stream)),
			} {
				got, err := read(in, small)
				require.NoError(t, err, how)
				assert.Equal(t, tt.want, got, how)
			}
		})
	}
}

func TestRealSenders(t *testing.T) {
	for name, want := range map[string][][]uint32{
		"go-lumber-plain": {{1}, {1, 2, 3}}, "go-lumber-compressed": {{1}, {1, 2, 3}},
		"pylogbeat": {{1, 2}, {3}}, "lumberjack-client": {{1, 2}, {1}},
	} {
		t.Run(name, func(t *testing.T) {
			stream, err := os.ReadFile(peertest.TestData(t, "wire", "lumberjack", name+".bin"))
			require.NoError(t, err)
			r := NewReader(bytes.NewReader(stream), DefaultLimits(), &memory{})
			line := 0
			for _, window := range want {
				var got []uint32
				require.NoError(t, r.ReadWindow(func(e Event) error {
					assert.Contains(t, string(e.JSON), fmt.Sprintf("line %d", line))
					line++
					got = append(got, e.Sequence)
					return nil
				}))
				assert.Equal(t, window, got)
			}
			require.ErrorIs(t, r.Await(), io.EOF)
			require.Equal(t, io.EOF, r.ReadWindow(nil))
		})
	}
}

// cut returns the first n bytes of a stream.
func cut(stream []byte, n int) []byte { return stream[:n] }

// set overwrites a byte of a stream.
func set(stream []byte, at int, b byte) []byte {
	stream[at] = b
	return stream
}

var wrongStreams = []struct {
	name   string
	stream []byte
	reason Reason
	text   string
}{
	{"TLS", []byte("\x16\x03\x01\x02\x00\x01"), ReasonVersion, `the frame's version is '\x16', expected '1' or '2' (at byte 0)`},
	{"HTTP", []byte("GET / HTTP/1.1\r\n\r\n"), ReasonVersion, `the frame's version is 'G'`},
	{"version 3", lj.Window('3', 1), ReasonVersion, `'3'`},
	{"no window", lj.JSON('2', 1, "{}"), ReasonFrame, `expected a window ('W') (at byte 0, in a frame of type 'J')`},
	{"compressed without a window", lj.Join(lj.Batch("{}"), lj.Compressed('2')), ReasonFrame, "expected a window"},
	{"unknown frame", lj.Join(lj.Window('2', 1), []byte("2Z")), ReasonFrame, `expected an event ('J' or 'D') or a compressed frame ('C') (at byte 6, in a frame of type 'Z')`},
	{"an acknowledgement", lj.Join(lj.Window('2', 1), AppendAck(nil, '2', 1)), ReasonFrame, `'A'`},
	{"large window", lj.Window('2', 9), ReasonWindow, "a window of 9 events in version '2', the limit is 8"},
	{"largest window", lj.Window('2', 0xffffffff), ReasonWindow, "a window of 4294967295 events"},
	{"window too early", lj.Join(lj.Window('2', 2), lj.JSON('2', 1, "{}"), lj.Batch("{}")), ReasonWindow, "a new window begins, but 1 events of the last one are missing (at byte 18"},
	{"more than promised", lj.Join(lj.Window('2', 1), lj.Compressed('2', lj.JSON('2', 1, "{}"), lj.JSON('2', 2, "{}"))), ReasonWindow, "more events than the window announced"},
	{"huge event", lj.Batch(strings.Repeat("x", 2001)), ReasonEventSize, "an event's JSON of 2001 bytes makes an event of 2001, the limit is 100"},
	{"large event that ends early", cut(lj.Batch(strings.Repeat("x", 1000)), 900), ReasonTruncated, "reading an event's JSON"},
	{"claim of 4 GiB", set(set(lj.Batch("{}"), 12, 255), 13, 255), ReasonEventSize, "the limit is 100"},
	{"large key", lj.Join(lj.Window('1', 1), lj.Data('1', 1, strings.Repeat("k", 101), "v")), ReasonEventSize, "a key of 101 bytes"},
	{"large values together", lj.Join(lj.Window('1', 1), lj.Data('1', 1, "k", strings.Repeat("v", 60), "l", strings.Repeat("v", 60))), ReasonEventSize, "a value of 60 bytes makes an event of 122"},
	{"many pairs", lj.Join(lj.Window('1', 1), lj.Data('1', 1, "a", "", "b", "", "c", "", "d", "", "e", "")), ReasonPairs, "an event of 5 pairs, the limit is 4"},
	{"large compressed frame", lj.Join(lj.Window('2', 1), []byte{'2', 'C', 0, 0, 3, 233}), ReasonCompressed, "a compressed frame of 1001 bytes, the limit is 1000"},
	{"not zlib", lj.Join(lj.Window('2', 1), []byte("2C\x00\x00\x00\x04abcd")), ReasonCompressed, "opening a compressed frame: the zlib stream is invalid or incomplete (at byte 6"},
	{"a bad checksum", flipLast(lj.Join(lj.Window('2', 1), lj.Compressed('2', lj.JSON('2', 1, "{}")))), ReasonCompressed, "checksum"},
	{"compressed frame cut short by its length", shorten(lj.Join(lj.Window('2', 1), lj.Compressed('2', lj.JSON('2', 1, "{}"))), 11, 3), ReasonCompressed, "the zlib stream is invalid or incomplete"},
	{"compressed frame longer than its stream", lj.Join(shorten(lj.Join(lj.Window('2', 1), lj.Compressed('2', lj.JSON('2', 1, "{}"))), 11, -3), []byte("xyz")), ReasonCompressed, "its zlib stream ends 3 bytes before the frame does"},
	{"nothing in a compressed frame", lj.Join(lj.Window('2', 1), lj.Compressed('2'), lj.JSON('2', 1, "{}")), ReasonCompressed, "it contains no event"},
	{"nested too deep", lj.Join(lj.Window('2', 1), lj.Compressed('2', lj.Compressed('2', lj.Compressed('2', lj.JSON('2', 1, "{}"))))), ReasonNesting, "a compressed frame inside 2 others, the limit is 2"},
	{"a window inside a compressed frame", lj.Join(lj.Window('2', 1), lj.Compressed('2', lj.Batch("{}"))), ReasonWindow, "a new window begins"},
	{"wrong version inside a compressed frame", lj.Join(lj.Window('2', 1), lj.Compressed('2', []byte("xJ"))), ReasonVersion, "inside 1 compressed"},
	{"an event cut off inside a compressed frame", lj.Join(lj.Window('2', 1), lj.Compressed('2', cut(lj.JSON('2', 1, "{}"), 11))), ReasonTruncated, "reading an event's JSON: the stream ends"},
	{"a length too long", set(lj.Batch("{}"), 15, 3), ReasonTruncated, "reading an event's JSON"},
	{"a length too short", set(lj.Batch("{}", "{}"), 15, 1), ReasonVersion, "the frame's version is '}'"},
}

// shorten subtracts n from the length byte of a frame, and removes n bytes from the end of the
// stream.
func shorten(stream []byte, at, n int) []byte {
	stream[at] -= byte(n)
	return stream[:len(stream)-max(0, n)]
}

func flipLast(stream []byte) []byte {
	stream[len(stream)-1] ^= 1
	return stream
}

func TestWrongStreams(t *testing.T) {
	for _, tt := range wrongStreams {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read(bytes.NewReader(tt.stream), small)
			var fault *Error
			require.ErrorAs(t, err, &fault)
			assert.Equal(t, tt.reason, fault.Reason)
			assert.ErrorContains(t, err, tt.text)
			assert.Contains(t, err.Error(), "lumberjack "+string(tt.reason)+": ")
			_, slow := read(iotest.OneByteReader(bytes.NewReader(tt.stream)), small)
			require.ErrorAs(t, slow, &fault)
			assert.Equal(t, err.Error(), slow.Error(), "errors do not depend on how the bytes arrive")
		})
	}
}

// A stream that ends anywhere except between windows is truncated, and every complete event is
// delivered.
func TestEveryTruncation(t *testing.T) {
	stream := lj.Join(
		lj.Window('2', 2), lj.JSON('2', 1, `{"a":1}`), lj.Data('2', 2, "k", "v"),
		lj.Window('1', 1), lj.Compressed('1', lj.Compressed('1', lj.JSON('1', 1, "{}"))))
	whole := 6 + 17 + 20 // bytes of the first window
	for n := range stream {
		_, err := read(bytes.NewReader(stream[:n]), small)
		if n == 0 || n == whole {
			require.NoError(t, err, n)
			continue
		}
		var fault *Error
		require.ErrorAs(t, err, &fault, n)
		assert.Equal(t, ReasonTruncated, fault.Reason, n)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF, n)
		assert.LessOrEqual(t, fault.Offset, int64(n))
	}
}

// A failed read is distinguished from the end of a stream, also below zlib.
func TestReadFails(t *testing.T) {
	failure := errors.New("connection reset")
	stream := lj.Join(lj.Window('2', 1), lj.Compressed('2', lj.Compressed('2', lj.JSON('2', 1, "{}"))))
	for n := range stream {
		_, err := read(io.MultiReader(bytes.NewReader(stream[:n]), iotest.ErrReader(failure)), small)
		var fault *Error
		require.ErrorAs(t, err, &fault, n)
		assert.Equal(t, ReasonRead, fault.Reason, n)
		require.ErrorIs(t, err, failure, n)
	}
}

func TestCallbackStops(t *testing.T) {
	stop := io.EOF // also distinguished from the end of the stream
	for _, stream := range [][]byte{lj.Batch("a", "b"), lj.Join(lj.Window('2', 2), lj.Compressed('2', lj.Batch("a", "b")[6:]))} {
		calls := 0
		err := NewReader(bytes.NewReader(stream), small, &memory{}).ReadWindow(func(Event) error { calls++; return stop })
		assert.Equal(t, stop, err)
		assert.Equal(t, 1, calls)
	}
}

// The beginning of an event above the limit is read, and later events are not affected.
func TestLargeEventIsCut(t *testing.T) {
	long := strings.Repeat("x", 101)
	want := [][]string{{"21 {}", "22 " + long[:100] + "+1", "23 {}"}}
	plain := lj.Batch("{}", long, "{}")
	for name, stream := range map[string][]byte{"plain": plain, "compressed": lj.Join(plain[:6], lj.Compressed('2', plain[6:]))} {
		got, err := read(bytes.NewReader(stream), small)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
}

func TestEmptyWindow(t *testing.T) {
	r := NewReader(bytes.NewReader(lj.Join(lj.Window('1', 0), lj.Batch("{}"), lj.Window('2', 0), lj.Compressed('2'))), small, &memory{})
	for _, want := range []string{"1 true", "2 false", "2 true", "2 false"} {
		require.NoError(t, r.ReadWindow(func(Event) error { return nil }))
		version, empty := r.EmptyWindow()
		assert.Equal(t, want, fmt.Sprintf("%c %v", version, empty))
	}
}

// The memory of an event is reserved before it is read, and released afterward.
func TestMemory(t *testing.T) {
	stream := lj.Batch(strings.Repeat("x", 50<<10), strings.Repeat("y", 80<<10))
	m := &memory{limit: 60 << 10}
	events := 0
	err := NewReader(bytes.NewReader(stream), DefaultLimits(), m).ReadWindow(func(Event) error { events++; return nil })
	assert.Equal(t, errNoMemory, err)
	assert.Equal(t, 1, events)
	m = &memory{}
	require.NoError(t, NewReader(bytes.NewReader(stream), DefaultLimits(), m).ReadWindow(func(Event) error { return nil }))
	assert.Equal(t, 80<<10, m.peak, "one event at a time")
	assert.Zero(t, m.used)
}

func TestAck(t *testing.T) {
	assert.Equal(t, []byte("2A\x00\x00\x01\x02"), AppendAck(nil, Version2, 258))
	assert.Equal(t, []byte("x1A\xff\xff\xff\xff"), AppendAck([]byte("x"), Version1, 0xffffffff))
}

func TestLimits(t *testing.T) {
	require.NoError(t, DefaultLimits().Validate())
	for name, spoil := range map[string]func(*Limits){
		"window": func(l *Limits) { l.Window = 0 }, "event": func(l *Limits) { l.Event = -1 }, "pairs": func(l *Limits) { l.Pairs = 0 },
		"compressed": func(l *Limits) { l.Compressed = 0 }, "decompressed": func(l *Limits) { l.Decompressed = 0 }, "nesting": func(l *Limits) { l.Nesting = 0 },
	} {
		l := DefaultLimits()
		spoil(&l)
		assert.ErrorContains(t, l.Validate(), "the limit "+name+" is ")
	}
}
