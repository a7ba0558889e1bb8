// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
)

// TestTheFirstPieceIsKept verifies that the clock starts with the first piece, so that its data does not count as too
// old at the second.
func TestTheFirstPieceIsKept(t *testing.T) {
	spill, err := newSpill(t.TempDir())
	require.NoError(t, err)
	defer spill.remove()
	j, err := newJudge(engine.DefaultConfig(), spill, nil)
	require.NoError(t, err)
	begin := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for i := range 2 {
		at := begin.Add(time.Duration(i) * time.Minute)
		md := pmetric.NewMetrics()
		m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName("m")
		p := m.SetEmptyGauge().DataPoints().AppendEmpty()
		p.SetDoubleValue(1)
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		require.NoError(t, j.piece(&piece{due: at.UnixNano(), signal: signalMetrics, metrics: md, points: 1}))
	}
	assert.Zero(t, j.engine.Status().Evicted)
}
