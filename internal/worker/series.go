// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/replay"
)

// series answers the requests of the interface for series.
type series struct {
	keys *table[*replay.Series]
}

func newSeries(cfg engine.Config, o Options) *series {
	return &series{newTable(o,
		func() *replay.Series { return replay.NewSeries(cfg) },
		func(state []byte) (*replay.Series, error) { return replay.LoadSeries(cfg, state) })}
}

// The outcomes of rows besides those of package replay.
const (
	outcomeNoKey     = "no_key"
	outcomeNoTime    = "no_time"
	outcomeNoValue   = "no_value"
	outcomeNotFinite = "not_finite"
)

var outcomes = map[replay.Outcome]string{
	replay.Evaluated: "evaluated", replay.WarmingUp: "warming_up", replay.Late: "late", replay.Duplicate: "duplicate",
}

// row is the result of one row.
type row struct {
	outcome string
	verdict engine.Verdict
}

var resultSchema = arrow.NewSchema([]arrow.Field{
	{Name: "score", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "opening", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "expected", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "lower", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "upper", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "outcome", Type: arrow.BinaryTypes.String},
}, nil)

func (s *series) observe(_ string, body []byte) (_ []byte, err error) {
	in, err := readPoints(body)
	if err != nil {
		return nil, err
	}
	if err := s.keys.admit(in.order); err != nil {
		return nil, err
	}
	// The rows of a key are evaluated together, so that each engine is needed once.
	for _, key := range in.order {
		unit, err := s.keys.get(key)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", key, err)
		}
		for _, i := range in.byKey[key] {
			verdict, outcome := unit.Observe(in.times[i], in.values[i])
			in.rows[i] = row{outcomes[outcome], verdict}
		}
	}
	return writeRows(in.rows)
}

// points are the rows of a request.
type points struct {
	order  []string         // of keys, as they appear
	byKey  map[string][]int // rows that can be evaluated
	times  []int64
	values []float64
	rows   []row
}

// readPoints reads an Arrow stream. It checks everything before a row is evaluated.
func readPoints(body []byte) (p *points, err error) {
	defer func() {
		if r := recover(); r != nil { // the library panics on some invalid input
			err = fmt.Errorf("not an Arrow stream: %v", r)
		}
	}()
	r, err := ipc.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("not an Arrow stream: %w", err)
	}
	defer r.Release()
	columns, err := findColumns(r.Schema())
	if err != nil {
		return nil, err
	}
	p = &points{byKey: map[string][]int{}}
	for r.Next() {
		if err := p.add(r.RecordBatch(), columns); err != nil {
			return nil, err
		}
	}
	if r.Err() != nil {
		return nil, fmt.Errorf("not an Arrow stream: %w", r.Err())
	}
	return p, nil
}

// columns holds the indexes of the columns.
type columns struct{ key, time, value int }

func findColumns(schema *arrow.Schema) (columns, error) {
	c := columns{-1, -1, -1}
	places := map[string]*int{"key": &c.key, "time": &c.time, "value": &c.value}
	for i, f := range schema.Fields() {
		place := places[f.Name]
		if place == nil || *place >= 0 {
			return c, fmt.Errorf("unexpected column %q: the columns must be key, time, and value", f.Name)
		}
		*place = i
	}
	for _, name := range []string{"key", "time", "value"} {
		if *places[name] < 0 {
			return c, fmt.Errorf("column %q is missing: the columns must be key, time, and value", name)
		}
	}
	return c, nil
}

// add adds the rows of a record batch.
func (p *points) add(batch arrow.RecordBatch, c columns) error {
	key, err := keyOf(batch.Column(c.key))
	if err != nil {
		return err
	}
	timeOf, err := timeOf(batch.Column(c.time))
	if err != nil {
		return err
	}
	valueOf, err := valueOf(batch.Column(c.value))
	if err != nil {
		return err
	}
	keys, times, values := batch.Column(c.key), batch.Column(c.time), batch.Column(c.value)
	for i := range int(batch.NumRows()) {
		r, t, v := row{}, int64(0), 0.0
		switch {
		case keys.IsNull(i):
			r.outcome = outcomeNoKey
		case times.IsNull(i):
			r.outcome = outcomeNoTime
		case values.IsNull(i):
			r.outcome = outcomeNoValue
		}
		if r.outcome == "" {
			if t = timeOf(i); t <= 0 {
				r.outcome = outcomeNoTime
			}
			if v = valueOf(i); math.IsNaN(v) || math.IsInf(v, 0) {
				r.outcome = outcomeNotFinite
			}
		}
		if r.outcome == "" {
			k := strings.Clone(key(i)) // it would keep the whole batch in memory
			if p.byKey[k] == nil {
				p.order = append(p.order, k)
			}
			p.byKey[k] = append(p.byKey[k], len(p.rows))
		}
		p.rows, p.times, p.values = append(p.rows, r), append(p.times, t), append(p.values, v)
	}
	return nil
}

func keyOf(column arrow.Array) (func(int) string, error) {
	switch a := column.(type) {
	case *array.String:
		return a.Value, nil
	case *array.LargeString:
		return a.Value, nil
	default:
		return nil, fmt.Errorf("column key has type %s: must be utf8", column.DataType())
	}
}

// timeOf returns a function that returns nanoseconds, or 0 if the time is not between 1970 and 2262.
func timeOf(column arrow.Array) (func(int) int64, error) {
	switch a := column.(type) {
	case *array.Int64:
		return a.Value, nil
	case *array.Timestamp:
		unit := int64(a.DataType().(*arrow.TimestampType).Unit.Multiplier())
		return func(i int) int64 {
			if t := int64(a.Value(i)); t <= math.MaxInt64/unit {
				return t * unit
			}
			return 0
		}, nil
	default:
		return nil, fmt.Errorf("column time has type %s: must be timestamp, or int64 nanoseconds", column.DataType())
	}
}

func valueOf(column arrow.Array) (func(int) float64, error) {
	switch a := column.(type) {
	case *array.Float64:
		return a.Value, nil
	case *array.Float32:
		return floats(a.Value), nil
	case *array.Int64:
		return floats(a.Value), nil
	case *array.Int32:
		return floats(a.Value), nil
	case *array.Int16:
		return floats(a.Value), nil
	case *array.Int8:
		return floats(a.Value), nil
	case *array.Uint64:
		return floats(a.Value), nil
	case *array.Uint32:
		return floats(a.Value), nil
	case *array.Uint16:
		return floats(a.Value), nil
	case *array.Uint8:
		return floats(a.Value), nil
	default:
		return nil, fmt.Errorf("column value has type %s: must be a number", column.DataType())
	}
}

func floats[N float32 | int64 | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8](value func(int) N) func(int) float64 {
	return func(i int) float64 { return float64(value(i)) }
}

// writeRows writes the results as an Arrow stream.
func writeRows(rows []row) ([]byte, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, resultSchema)
	defer b.Release()
	b.Reserve(len(rows))
	numbers := make([]*array.Float64Builder, 5)
	for i := range numbers {
		numbers[i] = b.Field(i).(*array.Float64Builder)
	}
	outcome := b.Field(len(numbers)).(*array.StringBuilder)
	for _, r := range rows {
		outcome.Append(r.outcome)
		v := r.verdict
		switch r.outcome {
		case outcomes[replay.Evaluated]:
			for i, n := range [...]float64{v.Score, v.Opening, v.Expected, v.Lower, v.Upper} {
				numbers[i].Append(n)
			}
		case outcomes[replay.WarmingUp]:
			numbers[0].Append(0)
			numbers[1].Append(0)
			for _, n := range numbers[2:] {
				n.AppendNull()
			}
		default:
			for _, n := range numbers {
				n.AppendNull()
			}
		}
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(resultSchema))
	if err := w.Write(batch); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (s *series) snapshot(key string) ([]byte, error) { return s.keys.snapshot(key) }

func (s *series) restore(key string, state []byte) error { return s.keys.restore("key", key, state) }

func (s *series) flush(key string) ([]byte, error) { return nil, s.drop(key) }

func (s *series) drop(key string) error {
	if key == "" {
		s.keys.clear()
	} else {
		s.keys.drop(key)
	}
	return nil
}

func (s *series) gauges(string) ([]byte, error) {
	return nil, errors.New("gauges are of services: use the interface shard")
}

func (s *series) version() string { return replay.SeriesVersion() }
