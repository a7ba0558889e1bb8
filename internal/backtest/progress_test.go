// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProgressInLines(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, "x", false)
	p.Start(200)
	p.Add(19, 1)
	assert.Empty(t, b.String())
	p.Add(1, 1)
	assert.Equal(t, "x: 10 %\n", b.String())
	p.Add(31, 0)
	assert.Equal(t, "x: 10 %\nx: 20 %\n", b.String())
	p.Add(1000, 0)
	p.End()
	assert.Equal(t, 10, strings.Count(b.String(), "\n"))
	assert.True(t, strings.HasSuffix(b.String(), "x: 100 %\n"))
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

// TestProgressOfOneFile counts what was read and, at its end, what was not.
func TestProgressOfOneFile(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, "x", false)
	p.Start(100)
	m := NewMeter(strings.NewReader(strings.Repeat("x", 50)), p, 100)
	_, err := io.ReadAll(m)
	require.NoError(t, err)
	assert.Equal(t, 5, strings.Count(b.String(), "\n"))
	m.End()
	assert.Equal(t, 10, strings.Count(b.String(), "\n"))

	none := NewMeter(strings.NewReader("x"), nil, 1)
	_, err = io.ReadAll(none)
	require.NoError(t, err)
	none.End()
}
