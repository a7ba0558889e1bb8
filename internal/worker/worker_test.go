// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/replay"
)

// client runs a worker.
type client struct {
	t    *testing.T
	to   *bufio.Writer
	from *bufio.Reader
	end  func() error
}

func start(t *testing.T, kind string, limit int) *client {
	t.Helper()
	in, to := io.Pipe()
	from, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- Run(in, out, Options{Interface: kind, Version: "1.2.3", Memory: limit, Live: DefaultLive})
		_ = out.Close()
	}()
	c := &client{t, bufio.NewWriter(to), bufio.NewReader(from), func() error {
		_ = to.Close()
		return <-done
	}}
	t.Cleanup(func() { _, _ = to.Close(), from.Close() })
	return c
}

func (c *client) send(kind byte, key string, body []byte) message {
	c.t.Helper()
	require.NoError(c.t, writeMessage(c.to, message{kind, key, body}))
	m, err := readMessage(c.from)
	require.NoError(c.t, err)
	assert.Equal(c.t, key, m.key)
	return m
}

func (c *client) ok(kind byte, key string, body []byte) []byte {
	c.t.Helper()
	m := c.send(kind, key, body)
	require.Equal(c.t, "R", string(m.kind), "%s", m.body)
	return m.body
}

func (c *client) fails(kind byte, key string, body []byte, want string) {
	c.t.Helper()
	m := c.send(kind, key, body)
	require.Equal(c.t, "E", string(m.kind))
	var f failure
	require.NoError(c.t, json.Unmarshal(m.body, &f))
	assert.Contains(c.t, f.Error, want)
}

func (c *client) hello() {
	c.t.Helper()
	c.ok(typeHello, "", []byte(`{"protocol": 1}`))
}

// point is a row of a request. A nil field is null.
type point struct {
	key   any
	time  any
	value any
}

// rows returns an Arrow stream with one batch for every size rows.
func rows(t testing.TB, points []point, size int) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "value", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "key", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "time", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
	}, nil)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema))
	for chunk := range slices.Chunk(points, size) {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for _, p := range chunk {
			for i, v := range []any{p.value, p.key, p.time} {
				switch v := v.(type) {
				case float64:
					b.Field(i).(*array.Float64Builder).Append(v)
				case string:
					b.Field(i).(*array.StringBuilder).Append(v)
				case time.Time:
					b.Field(i).(*array.TimestampBuilder).Append(arrow.Timestamp(v.UnixMicro()))
				default:
					b.Field(i).AppendNull()
				}
			}
		}
		require.NoError(t, w.Write(b.NewRecordBatch()))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// results returns one text per row.
func results(t *testing.T, body []byte) (list []string) {
	t.Helper()
	r, err := ipc.NewReader(bytes.NewReader(body))
	require.NoError(t, err)
	for r.Next() {
		batch := r.RecordBatch()
		for i := range int(batch.NumRows()) {
			var fields []string
			for c := range int(batch.NumCols()) {
				fields = append(fields, batch.Column(c).ValueStr(i))
			}
			list = append(list, strings.Join(fields, " "))
		}
	}
	require.NoError(t, r.Err())
	return list
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// fleet returns points of several series, in the order of time. Each has a fault.
func fleet(series, points int) (list []point) {
	random := rand.New(rand.NewPCG(3, uint64(series)))
	for i := range points {
		for s := range series {
			v := random.NormFloat64()
			if i > points-10 {
				v += 30
			}
			list = append(list, point{fmt.Sprint("series ", s), noon.Add(time.Duration(i) * time.Minute), v})
		}
	}
	return list
}

// expected returns the results of package replay, which the backtest uses.
func expected(points []point) (list []string) {
	engines := map[any]*replay.Series{}
	for _, p := range points {
		if engines[p.key] == nil {
			engines[p.key] = replay.NewSeries(engine.DefaultConfig())
		}
		v, outcome := engines[p.key].Observe(p.time.(time.Time).UnixNano(), p.value.(float64))
		switch outcome {
		case replay.Evaluated:
			b := array.NewFloat64Builder(memory.DefaultAllocator)
			b.AppendValues([]float64{v.Score, v.Opening, v.Expected, v.Lower, v.Upper}, nil)
			a := b.NewFloat64Array()
			var fields []string
			for i := range a.Len() {
				fields = append(fields, a.ValueStr(i))
			}
			list = append(list, strings.Join(fields, " ")+" evaluated")
		default:
			list = append(list, "0 0 (null) (null) (null) warming_up")
		}
	}
	return list
}

// More series than are kept as engines, in batches of any size: the results are those of independent series.
func TestSeriesAreEvaluatedIndependently(t *testing.T) {
	points := fleet(DefaultLive+8, 160)
	c := start(t, InterfaceSeries, 64<<20)
	assert.JSONEq(t, `{"protocol": 1, "version": "1.2.3", "interface": "series", "state": "1.9"}`, string(c.ok(typeHello, "", []byte(`{"protocol": 1, "engine": {"false_alarms": 5}}`))))
	var got []string
	for chunk := range slices.Chunk(points, 1000) {
		got = append(got, results(t, c.ok(typeObserve, "", rows(t, chunk, 300)))...)
	}
	assert.Equal(t, expected(points), got)
	assert.Contains(t, strings.Join(got, "\n"), " evaluated")
	require.NoError(t, c.end())
}

func TestSettingsReachTheEngine(t *testing.T) {
	points := fleet(1, 400)
	openings := func(hello string) int {
		c := start(t, InterfaceSeries, 1<<20)
		c.ok(typeHello, "", []byte(hello))
		n := 0
		for _, line := range results(t, c.ok(typeObserve, "", rows(t, points, 1000))) {
			var score, opening float64
			if _, err := fmt.Sscan(line, &score, &opening); err == nil && score >= 1 {
				n++
			}
		}
		return n
	}
	assert.Greater(t, openings(`{"protocol": 1}`), openings(`{"protocol": 1, "engine": {"false_alarms": 1e-6, "max_alpha": 1e-12}}`))
}

// A series that moves to another worker after any request continues to the bit.
func TestSeriesMovesToAnotherWorker(t *testing.T) {
	points := fleet(3, 200)
	var got []string
	states := map[string][]byte{}
	for chunk := range slices.Chunk(points, 3*50) {
		c := start(t, InterfaceSeries, 1<<20)
		c.hello()
		for key, state := range states {
			c.ok(typeRestore, key, state)
		}
		got = append(got, results(t, c.ok(typeObserve, "", rows(t, chunk, 1000)))...)
		for s := range 3 {
			key := fmt.Sprint("series ", s)
			states[key] = c.ok(typeSnapshot, key, nil)
		}
		require.NoError(t, c.end())
	}
	assert.Equal(t, expected(points), got)
}

func TestOutcomes(t *testing.T) {
	c := start(t, InterfaceSeries, 1<<20)
	c.hello()
	got := results(t, c.ok(typeObserve, "", rows(t, []point{
		{"a", noon, 1.0},
		{"a", noon, 1.0},
		{"a", noon.Add(-time.Minute), 1.0},
		{nil, noon, 1.0},
		{"a", nil, 1.0},
		{"a", time.Unix(-5, 0), 1.0},
		{"a", noon.Add(time.Minute), nil},
		{"a", noon.Add(time.Minute), math.NaN()},
		{"a", noon.Add(time.Minute), math.Inf(-1)},
		{"a", noon.Add(2 * time.Minute), 2.0},
	}, 4)))
	var outcomes []string
	for _, line := range got {
		outcomes = append(outcomes, line[strings.LastIndexByte(line, ' ')+1:])
	}
	assert.Equal(t, []string{"warming_up", "duplicate", "late", "no_key", "no_time", "no_time", "no_value", "not_finite", "not_finite", "warming_up"}, outcomes)
}

func TestInvalidRequests(t *testing.T) {
	c := start(t, InterfaceSeries, 1)
	c.hello()
	c.fails(typeObserve, "", []byte("garbage"), "not an Arrow stream")
	whole := rows(t, fleet(1, 10), 10)
	c.fails(typeObserve, "", whole[:len(whole)/2], "not an Arrow stream")
	c.fails(typeObserve, "", columnsOf(t, "key", "time", "value", "host"), `unexpected column "host"`)
	c.fails(typeObserve, "", columnsOf(t, "key", "time"), `column "value" is missing`)
	c.fails(typeObserve, "", columnsOf(t, "key", "key", "value"), `unexpected column "key"`)
	c.fails(typeObserve, "", columnsOf(t, "key", "time", "value"), "column key has type int64: must be utf8")
	c.fails(typeSnapshot, "x", nil, `key "x" has no state`)
	c.fails(typeRestore, "x", []byte{9, 9}, "the state has version 9, this build reads version 1")
	c.fails(typeGauges, "x", nil, "use the interface shard")
	c.fails('Z', "x", nil, `unknown message type 'Z'`)
	c.fails(typeObserve, "", rows(t, fleet(DefaultLive+1, 1), 100), "no memory for 33 new keys")
	c.ok(typeObserve, "", rows(t, fleet(DefaultLive, 1), 100))
	c.fails(typeObserve, "", rows(t, []point{{"another", noon, 1.0}}, 1), "no memory for 1 new keys besides 32 others")
	c.ok(typeDrop, "series 0", nil)
	c.ok(typeObserve, "", rows(t, []point{{"another", noon, 1.0}}, 1))
	c.ok(typeFlush, "", nil)
	c.fails(typeSnapshot, "another", nil, "no state")
	require.NoError(t, c.end())
}

func columnsOf(t *testing.T, names ...string) []byte {
	t.Helper()
	var fields []arrow.Field
	for _, name := range names {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64})
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range fields {
		b.Field(i).(*array.Int64Builder).Append(1)
	}
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema))
	require.NoError(t, w.Write(b.NewRecordBatch()))
	require.NoError(t, w.Close())
	return out.Bytes()
}

// Input that is not a sequence of messages ends the worker with an error and an error reply.
func TestInvalidInput(t *testing.T) {
	framed := func(m message) []byte {
		var b bytes.Buffer
		w := bufio.NewWriter(&b)
		require.NoError(t, writeMessage(w, m))
		return b.Bytes()
	}
	hello := framed(message{typeHello, "", []byte(`{"protocol": 1}`)})
	for name, tt := range map[string]struct {
		in   []byte
		want string
	}{
		"text":             {[]byte("GET / HTTP/1.1\r\n\r\n"), "a message of 1195725856 bytes: must be 5 to 67108864"},
		"cut length":       {[]byte{0, 0}, "the input ends within the length of a message"},
		"cut message":      {slices.Concat(hello, hello[:9]), "the input ends within a message"},
		"long key":         {[]byte{0, 0, 0, 5, 'H', 0, 0, 0, 1}, "a key of 1 bytes in a message of 5 bytes"},
		"no hello":         {framed(message{typeObserve, "", nil}), "the first message has type 'O': must be hello, 'H'"},
		"other protocol":   {framed(message{typeHello, "", []byte(`{"protocol": 7}`)}), "hello has protocol 7, this worker (version 1.2.3) has protocol 1"},
		"findings":         {framed(message{typeHello, "", []byte(`{"protocol": 1, "findings": "otlp"}`)}), "hello: findings and ordered: these are for shards"},
		"unknown setting":  {framed(message{typeHello, "", []byte(`{"protocol": 1, "engine": {"alarms": 1}}`)}), `unknown field "alarms"`},
		"invalid setting":  {framed(message{typeHello, "", []byte(`{"protocol": 1, "engine": {"zone": "Mars"}}`)}), `hello: engine: time_zone is "Mars"`},
		"not even a hello": {framed(message{typeHello, "", []byte(`{`)}), "hello: unexpected EOF"},
	} {
		var out bytes.Buffer
		err := Run(bytes.NewReader(tt.in), &out, Options{Interface: InterfaceSeries, Version: "1.2.3", Memory: 1})
		require.ErrorContains(t, err, tt.want, name)
		assert.Contains(t, out.String(), `{"error":"`, name)
	}
	assert.NoError(t, Run(bytes.NewReader(nil), io.Discard, Options{}))
}
