// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"golang.org/x/tools/txtar"

	"github.com/auspex-otel/auspex/internal/golden"
)

// Each file contains requests, in the language of message, and the expected data points.
func TestTranslation(t *testing.T) {
	golden.Archives(t, "testdata/translation/*.txtar", func(t *testing.T, archive *txtar.Archive) *txtar.Archive {
		t.Helper()
		next := &pipeline{}
		r := start(t, next, nil)
		var out []txtar.File
		for _, f := range archive.Files {
			version, what, _ := strings.Cut(f.Name, "/")
			if what == "want" {
				continue
			}
			m, err := parseMessage(string(f.Data))
			require.NoError(t, err)
			before := len(next.accepted())
			var a answer
			if version[0] == '1' {
				a = r.post(contentV1, m.v1())
			} else {
				a = r.post(contentV2, m.v2())
			}
			var text strings.Builder
			fmt.Fprintf(&text, "%d, written %s\n", a.status, a.written())
			if a.text != "" {
				fmt.Fprintf(&text, "%s\n", a.text)
			}
			for _, md := range next.accepted()[before:] {
				text.WriteString(render(md))
			}
			out = append(out, f, txtar.File{Name: version + "/want", Data: []byte(text.String())})
		}
		return &txtar.Archive{Comment: archive.Comment, Files: out}
	})
}

// render returns data points as text.
func render(md pmetric.Metrics) string {
	var b strings.Builder
	for _, rm := range md.ResourceMetrics().All() {
		fmt.Fprintf(&b, "resource %s\n", attributes(rm.Resource().Attributes()))
		for _, sm := range rm.ScopeMetrics().All() {
			if s := sm.Scope(); s.Name()+s.Version()+sm.SchemaUrl() != "" || s.Attributes().Len() > 0 {
				fmt.Fprintf(&b, "  scope %s %s %s %s\n", s.Name(), s.Version(), sm.SchemaUrl(), attributes(s.Attributes()))
			}
			for _, m := range sm.Metrics().All() {
				renderMetric(&b, m)
			}
		}
	}
	return b.String()
}

func attributes(m pcommon.Map) string {
	var list []string
	for k, v := range m.All() {
		list = append(list, k+"="+v.AsString())
	}
	return "{" + strings.Join(list, ", ") + "}"
}

func renderMetric(b *strings.Builder, m pmetric.Metric) {
	kind := m.Type().String()
	if m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic() {
		kind = "Counter"
	}
	typ, _ := m.Metadata().Get("prometheus.type")
	fmt.Fprintf(b, "  %s %s (%s)", kind, m.Name(), typ.AsString())
	if m.Unit() != "" {
		fmt.Fprintf(b, " in %s", m.Unit())
	}
	if m.Description() != "" {
		fmt.Fprintf(b, ": %s", m.Description())
	}
	b.WriteString("\n")
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		renderNumbers(b, m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		renderNumbers(b, m.Sum().DataPoints())
	case pmetric.MetricTypeSummary:
		for _, dp := range m.Summary().DataPoints().All() {
			renderPoint(b, dp.Timestamp(), dp.StartTimestamp(), dp.Flags(), dp.Attributes())
			fmt.Fprintf(b, " count %d sum %v", dp.Count(), dp.Sum())
			for _, q := range dp.QuantileValues().All() {
				fmt.Fprintf(b, " %v:%v", q.Quantile(), q.Value())
			}
			b.WriteString("\n")
		}
	case pmetric.MetricTypeHistogram:
		for _, dp := range m.Histogram().DataPoints().All() {
			renderPoint(b, dp.Timestamp(), dp.StartTimestamp(), dp.Flags(), dp.Attributes())
			fmt.Fprintf(b, " count %d", dp.Count())
			if dp.HasSum() {
				fmt.Fprintf(b, " sum %v", dp.Sum())
			}
			fmt.Fprintf(b, " bounds %v counts %v", dp.ExplicitBounds().AsRaw(), dp.BucketCounts().AsRaw())
			renderExemplars(b, dp.Exemplars())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, dp := range m.ExponentialHistogram().DataPoints().All() {
			renderPoint(b, dp.Timestamp(), dp.StartTimestamp(), dp.Flags(), dp.Attributes())
			fmt.Fprintf(b, " count %d sum %v scale %d zero %d below %v", dp.Count(), dp.Sum(), dp.Scale(), dp.ZeroCount(), dp.ZeroThreshold())
			fmt.Fprintf(b, " positive %d%v negative %d%v", dp.Positive().Offset(), dp.Positive().BucketCounts().AsRaw(), dp.Negative().Offset(), dp.Negative().BucketCounts().AsRaw())
			renderExemplars(b, dp.Exemplars())
		}
	}
}

func renderNumbers(b *strings.Builder, dps pmetric.NumberDataPointSlice) {
	for _, dp := range dps.All() {
		renderPoint(b, dp.Timestamp(), dp.StartTimestamp(), dp.Flags(), dp.Attributes())
		if !dp.Flags().NoRecordedValue() {
			fmt.Fprintf(b, " %v", dp.DoubleValue())
		}
		renderExemplars(b, dp.Exemplars())
	}
}

func renderPoint(b *strings.Builder, at, begun pcommon.Timestamp, flags pmetric.DataPointFlags, attrs pcommon.Map) {
	fmt.Fprintf(b, "    %d", at/1e6)
	if begun != 0 {
		fmt.Fprintf(b, "/%d", begun/1e6)
	}
	fmt.Fprintf(b, " %s", attributes(attrs))
	if flags.NoRecordedValue() {
		b.WriteString(" ended")
	}
}

func renderExemplars(b *strings.Builder, list pmetric.ExemplarSlice) {
	for _, e := range list.All() {
		fmt.Fprintf(b, " exemplar(%d %v %s %s %s)", e.Timestamp()/1e6, e.DoubleValue(), e.TraceID(), e.SpanID(), attributes(e.FilteredAttributes()))
	}
	b.WriteString("\n")
}
