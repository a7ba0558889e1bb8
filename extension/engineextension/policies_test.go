// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/auspex-otel/auspex/extension/engineextension/internal/metadatatest"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/policy"
)

func TestPoliciesReachTheEngineAndAreCounted(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	cfg := onDisk()
	cfg.Storage = nil
	cfg.Engine.Policies = []policy.Rule{{DryRun: true}}
	e, err := NewFactory().Create(t.Context(), metadatatest.NewSettings(telemetry), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), host{}))
	feed(engineOf(e), 0, 401, true)
	s := engineOf(e).Status()
	assert.Zero(t, s.AnomaliesOpened)
	metadatatest.AssertEqualExtensionAnomalyEngineHeldAnomalies(t, telemetry, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", engine.HeldDryRun))},
	}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualExtensionAnomalyEngineExtremalIndex(t, telemetry, bySignal(func(s view.SignalStatus) float64 { return s.Theta }, e), metricdatatest.IgnoreTimestamp())
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

func TestPolicyThatIsWrongKeepsTheExtensionFromBeingMade(t *testing.T) {
	cfg := onDisk()
	cfg.Engine.Policies = []policy.Rule{{}, {Where: "no condition"}}
	_, err := NewFactory().Create(t.Context(), metadatatest.NewSettings(componenttest.NewTelemetry()), cfg)
	require.ErrorContains(t, err, "policies::1: where: no condition")
}

// bySignal returns a data point for each signal.
func bySignal(f func(view.SignalStatus) float64, e component.Component) (points []metricdata.DataPoint[float64]) {
	for signal, s := range engineOf(e).Status().Signals {
		points = append(points, metricdata.DataPoint[float64]{Value: f(s), Attributes: attribute.NewSet(attribute.String("signal", signal.String()))})
	}
	return points
}
