// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine/meter"
)

// Each testdata/samples/*.txt says which numbers the engine makes of data points.
// A line in the first column is a command, the indented lines below it are what
// must come of it, worked out by hand:
//
//	stream gauge|sum|histogram|summary|exponential [delta|cumulative] [monotonic]
//	point T [start=T] [V | Vi | none] [count=N sum=V bounds=A,B counts=N,N,N]
//	point T [start=T] [none] count=N [sum=V] [scale=N zero=N threshold=V positive=OFFSET:N,N negative=OFFSET:N,N]
//	point T [start=T] [none] count=N [sum=V] [quantiles=Q:V,Q:V]
//
// A new stream line begins a new engine.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("testdata/samples/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			var out strings.Builder
			var s *stage
			for line := range strings.Lines(string(b)) {
				if strings.HasPrefix(line, " ") {
					continue
				}
				out.WriteString(line)
				switch words := strings.Fields(line); {
				case len(words) == 0 || words[0] == "#":
				case words[0] == "stream":
					if s == nil || !slices.Contains(words, "same") {
						s = &stage{engine: newEngine(), points: map[string]uint64{}, refused: map[string]uint64{}}
					}
					s.stream = words[1:]
				case words[0] == "point":
					for _, answer := range s.point(t, words[1:]) {
						out.WriteString("  " + answer + "\n")
					}
				default:
					t.Fatalf("unknown command %q", line)
				}
			}
			assert.Equal(t, string(b), out.String())
		})
	}
}

type stage struct {
	engine  *Engine
	stream  []string
	points  map[string]uint64 // of each series, as it was
	refused map[string]uint64
}

// point has the engine observe one data point, and returns what it made of it.
func (s *stage) point(t *testing.T, words []string) (answers []string) {
	t.Helper()
	s.engine.ObserveMetrics(from("s", func(ms pmetric.MetricSlice) { s.build(t, ms.AppendEmpty(), words) }), shownNone)
	for stat := range meter.ErrorRatio + 1 {
		for _, v := range s.engine.Series(SeriesQuery{Statistic: stat.String()}) {
			if v.Points != s.points[v.ID] {
				answers = append(answers, fmt.Sprintf("%s %.6g", stat, v.Observed))
			}
			s.points[v.ID] = v.Points
		}
	}
	refused := s.engine.Status().Refused
	for _, reason := range slices.Sorted(maps.Keys(refused)) {
		if refused[reason] != s.refused[reason] {
			answers = append(answers, "refused "+reason)
		}
	}
	s.refused = refused
	return answers
}

func (s *stage) build(t *testing.T, m pmetric.Metric, words []string) {
	t.Helper()
	m.SetName("m")
	temporality := pmetric.AggregationTemporalityUnspecified
	if slices.Contains(s.stream, "delta") {
		temporality = pmetric.AggregationTemporalityDelta
	} else if slices.Contains(s.stream, "cumulative") {
		temporality = pmetric.AggregationTemporalityCumulative
	}
	switch s.stream[0] {
	case "gauge":
		fillNumber(t, m.SetEmptyGauge().DataPoints().AppendEmpty(), words)
	case "sum":
		m.SetEmptySum().SetAggregationTemporality(temporality)
		m.Sum().SetIsMonotonic(slices.Contains(s.stream, "monotonic"))
		fillNumber(t, m.Sum().DataPoints().AppendEmpty(), words)
	case "histogram":
		m.SetEmptyHistogram().SetAggregationTemporality(temporality)
		fillHistogram(t, m.Histogram().DataPoints().AppendEmpty(), words)
	case "summary":
		fillSummary(t, m.SetEmptySummary().DataPoints().AppendEmpty(), words)
	case "exponential":
		m.SetEmptyExponentialHistogram().SetAggregationTemporality(temporality)
		fillExponential(t, m.ExponentialHistogram().DataPoints().AppendEmpty(), words)
	default:
		t.Fatalf("unknown stream %q", s.stream)
	}
}

func fillNumber(t *testing.T, dp pmetric.NumberDataPoint, words []string) {
	t.Helper()
	dp.SetTimestamp(second(t, words[0]))
	for _, word := range words[1:] {
		if text, ok := strings.CutPrefix(word, "start="); ok {
			dp.SetStartTimestamp(second(t, text))
		} else if word == "none" {
			dp.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		} else if text, ok := strings.CutSuffix(word, "i"); ok {
			n, err := strconv.ParseInt(text, 10, 64)
			require.NoError(t, err)
			dp.SetIntValue(n)
		} else {
			dp.SetDoubleValue(float(t, word))
		}
	}
}

func fillHistogram(t *testing.T, dp pmetric.HistogramDataPoint, words []string) {
	t.Helper()
	dp.SetTimestamp(second(t, words[0]))
	for _, word := range words[1:] {
		key, text, _ := strings.Cut(word, "=")
		list := strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
		switch key {
		case "start":
			dp.SetStartTimestamp(second(t, text))
		case "none":
			dp.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		case "count":
			dp.SetCount(uint64(float(t, text)))
		case "sum":
			dp.SetSum(float(t, text))
		case "bounds":
			for _, b := range list {
				dp.ExplicitBounds().Append(float(t, b))
			}
		case "counts":
			for _, c := range list {
				dp.BucketCounts().Append(uint64(float(t, c)))
			}
		default:
			t.Fatalf("unknown field %q", word)
		}
	}
}

func fillExponential(t *testing.T, dp pmetric.ExponentialHistogramDataPoint, words []string) {
	t.Helper()
	dp.SetTimestamp(second(t, words[0]))
	side := func(b pmetric.ExponentialHistogramDataPointBuckets, text string) {
		offset, list, _ := strings.Cut(text, ":")
		b.SetOffset(int32(float(t, offset)))
		for c := range strings.SplitSeq(list, ",") {
			b.BucketCounts().Append(uint64(float(t, c)))
		}
	}
	for _, word := range words[1:] {
		key, text, _ := strings.Cut(word, "=")
		switch key {
		case "start":
			dp.SetStartTimestamp(second(t, text))
		case "none":
			dp.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		case "count":
			dp.SetCount(uint64(float(t, text)))
		case "sum":
			dp.SetSum(float(t, text))
		case "scale":
			dp.SetScale(int32(float(t, text)))
		case "zero":
			dp.SetZeroCount(uint64(float(t, text)))
		case "threshold":
			dp.SetZeroThreshold(float(t, text))
		case "positive":
			side(dp.Positive(), text)
		case "negative":
			side(dp.Negative(), text)
		default:
			t.Fatalf("unknown field %q", word)
		}
	}
}

func fillSummary(t *testing.T, dp pmetric.SummaryDataPoint, words []string) {
	t.Helper()
	dp.SetTimestamp(second(t, words[0]))
	for _, word := range words[1:] {
		key, text, _ := strings.Cut(word, "=")
		switch key {
		case "start":
			dp.SetStartTimestamp(second(t, text))
		case "none":
			dp.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		case "count":
			dp.SetCount(uint64(float(t, text)))
		case "sum":
			dp.SetSum(float(t, text))
		case "quantiles":
			for pair := range strings.SplitSeq(text, ",") {
				q, v, _ := strings.Cut(pair, ":")
				at := dp.QuantileValues().AppendEmpty()
				at.SetQuantile(float(t, q))
				at.SetValue(float(t, v))
			}
		default:
			t.Fatalf("unknown field %q", word)
		}
	}
}

// second reads a time; "unset" is the timestamp of a resource that gives none.
func second(t *testing.T, text string) pcommon.Timestamp {
	t.Helper()
	if text == "unset" {
		return 0
	}
	return stamp(float(t, text))
}

func float(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return v
}

// Units and series of what was added: those of a histogram.
func TestExponentialHistogramsAndSummariesAreSeries(t *testing.T) {
	e := newEngine()
	for i := range 2 {
		e.ObserveMetrics(from("s", func(ms pmetric.MetricSlice) {
			m := ms.AppendEmpty()
			m.SetName("exponential")
			m.SetUnit("s")
			m.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			dp := m.ExponentialHistogram().DataPoints().AppendEmpty()
			dp.SetTimestamp(stamp(float64(i)))
			dp.SetCount(uint64(10 + i))
			dp.SetZeroCount(uint64(10 + i))
			dp.SetSum(0)
		}, func(ms pmetric.MetricSlice) {
			m := ms.AppendEmpty()
			m.SetName("summary")
			m.SetUnit("s")
			dp := m.SetEmptySummary().DataPoints().AppendEmpty()
			dp.SetTimestamp(stamp(float64(i)))
			dp.SetCount(uint64(i))
			dp.QuantileValues().AppendEmpty().SetQuantile(.99)
		}), shownNone)
	}
	var got []string
	for _, s := range e.Series(SeriesQuery{}) {
		got = append(got, fmt.Sprint(s.Metric, " ", s.Statistic, " ", s.Unit, " ", s.Points))
	}
	slices.Sort(got)
	assert.Equal(t, []string{
		"exponential mean s 1", "exponential p50 s 1", "exponential p95 s 1", "exponential p99 s 1", "exponential rate 1/s 1",
		"summary mean s 1", "summary p50 s 0", "summary p95 s 0", "summary p99 s 2", "summary rate 1/s 1",
	}, got)
	assert.Empty(t, e.Status().Refused)
}
