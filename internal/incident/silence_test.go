// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// absence returns a point for a silence, judged at a second, since the last point at another.
func absence(series uint64, seconds, since int, score float64) Point {
	p := after(series, seconds, score)
	p.Kind, p.SilentSince = "silent", start.Add(time.Duration(since)*time.Second).UnixNano()
	return p
}

func TestAnomalySaysSinceWhenItIsSilent(t *testing.T) {
	tracker := NewTracker()
	tracker.Observe(absence(1, 100, 40, 2), of("s", 1))
	anomalies, _ := tracker.News()
	require.Len(t, anomalies, 1)
	assert.Equal(t, "silent", anomalies[0].Kind)
	assert.Equal(t, "+100", clock(anomalies[0].Opened))
	assert.Equal(t, "+40", clock(anomalies[0].SilentSince))
}

// TestAnomalyThatGoesSilentSaysSo verifies that an anomaly that becomes silent keeps the kind of its most surprising
// point, and that the silence is reported.
func TestAnomalyThatGoesSilentSaysSo(t *testing.T) {
	tracker := NewTracker()
	tracker.Observe(after(1, 0, 9), of("s", 1))
	anomalies, _ := tracker.News()
	b, err := json.Marshal(anomalies[0])
	require.NoError(t, err)
	assert.NotContains(t, string(b), "silent_since")

	tracker.Observe(absence(1, 100, 0, 2), of("s", 1))
	anomalies, _ = tracker.News()
	require.Len(t, anomalies, 1)
	assert.Equal(t, "high", anomalies[0].Kind)
	assert.InDelta(t, 9, anomalies[0].MaxScore, 0)
	b, err = json.Marshal(anomalies[0])
	require.NoError(t, err)
	assert.Contains(t, string(b), `"silent_since":"`)
}
