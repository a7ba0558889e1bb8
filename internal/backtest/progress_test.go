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
	p.start(200)
	p.add(19, 1)
	assert.Empty(t, b.String())
	p.add(1, 1)
	assert.Equal(t, "x: 10 %\n", b.String())
	p.add(31, 0)
	assert.Equal(t, "x: 10 %\nx: 20 %\n", b.String())
	p.add(1000, 0)
	p.end()
	assert.Equal(t, 10, strings.Count(b.String(), "\n"))
	assert.True(t, strings.HasSuffix(b.String(), "x: 100 %\n"))
}

func TestProgressOnATerminal(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, "x", true)
	p.start(200)
	p.add(50, 7)
	assert.Contains(t, b.String(), "\r\x1b[Kx ███████░░░")
	assert.Contains(t, b.String(), " 25 %  7 points, ")
	p.end()
	assert.True(t, strings.HasSuffix(b.String(), "\r\x1b[K"))
}

// TestProgressOfOneFile counts what was read and, at its end, what was not.
func TestProgressOfOneFile(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, "x", false)
	p.start(100)
	m := &metered{Reader: strings.NewReader(strings.Repeat("x", 50)), progress: p, left: 100}
	_, err := io.ReadAll(m)
	require.NoError(t, err)
	assert.Equal(t, 5, strings.Count(b.String(), "\n"))
	m.end()
	assert.Equal(t, 10, strings.Count(b.String(), "\n"))

	none := &metered{Reader: strings.NewReader("x"), left: 1}
	_, err = io.ReadAll(none)
	require.NoError(t, err)
	none.end()
}
