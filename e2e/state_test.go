// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// TestDamagedState verifies that the collector moves a damaged file of the engine aside and starts.
func TestDamagedState(t *testing.T) {
	c := peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:default", Env: peertest.Shipped(t)})
	c.Stop()
	file := filepath.Join(c.State, "engine", "extension_anomaly_engine_")
	require.NoError(t, os.Truncate(file, 2*int64(os.Getpagesize()))) // without the pages that hold data
	c.Start()
	aside, err := filepath.Glob(file + ".damaged-*")
	require.NoError(t, err)
	require.Len(t, aside, 1)
	assert.Contains(t, c.Log(), file)
	assert.Contains(t, c.Log(), aside[0])
}

// TestStateInUse verifies that the error of a second collector on a state folder names the process that uses it.
func TestStateInUse(t *testing.T) {
	first := peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:default", Env: peertest.Shipped(t)})
	second := peertest.NewCollector(t, peertest.CollectorOptions{Base: "auspex:default", Env: append(peertest.Shipped(t), "AUSPEX_STATE_DIR="+first.State)})
	output, code := second.Run(30 * time.Second)
	assert.NotZero(t, code)
	assert.Contains(t, output, filepath.Join(first.State, "engine")+" is in use by ")
	if _, err := os.Stat("/proc/locks"); err == nil {
		assert.Contains(t, output, fmt.Sprintf("process %d (", first.PID()))
	}
}
