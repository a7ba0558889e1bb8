// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProgressInLines(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, "x", false)
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	p.now = func() time.Time { return now }
	p.Start(200)
	p.Add(100, 600)
	now = now.Add(59 * time.Second)
	p.Add(10, 0)
	assert.Empty(t, b.String(), "a short run prints none")
	now = now.Add(time.Second)
	p.Add(10, 600)
	p.Add(10, 0)
	assert.Equal(t, "x: 60 %, 1200 points, 20/s\n", b.String(), "one a minute")
	now = now.Add(time.Minute)
	p.Add(1000, 0)
	p.End()
	assert.Equal(t, "x: 60 %, 1200 points, 20/s\nx: 100 %, 1200 points, 10/s\n", b.String())
}

func TestProgressOnATerminal(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, "x", true)
	p.Start(200)
	p.Add(50, 7)
	assert.Contains(t, b.String(), "\r\x1b[Kx ███████░░░")
	assert.Contains(t, b.String(), " 25 %  7 points, ")
	p.End()
	assert.True(t, strings.HasSuffix(b.String(), "\r\x1b[K"))
}

// TestProgressOfOneFile verifies that read bytes are counted, and the unread ones at the end.
func TestProgressOfOneFile(t *testing.T) {
	p := NewProgress(io.Discard, "x", false)
	p.Start(100)
	m := NewMeter(strings.NewReader(strings.Repeat("x", 50)), p, 100)
	_, err := io.ReadAll(m)
	require.NoError(t, err)
	assert.InDelta(t, .5, p.share(), 0)
	m.End()
	assert.InDelta(t, 1, p.share(), 0)

	none := NewMeter(strings.NewReader("x"), nil, 1)
	_, err = io.ReadAll(none)
	require.NoError(t, err)
	none.End()
}
