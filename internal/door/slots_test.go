// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package door

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOneClientLeavesSomethingToOthers(t *testing.T) {
	s := NewSlots(3, 2)
	first, err := s.Take("a")
	require.NoError(t, err)
	_, err = s.Take("a")
	require.NoError(t, err)
	_, err = s.Take("a")
	require.ErrorIs(t, err, ErrClient)
	other, err := s.Take("b")
	require.NoError(t, err)
	_, err = s.Take("c")
	require.ErrorIs(t, err, ErrFull)
	other()
	first()
	_, err = s.Take("a")
	require.NoError(t, err)
	_, err = s.Take("c")
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"a": 2, "c": 1}, s.by, "a client without a slot is forgotten")
}

func TestClient(t *testing.T) {
	assert.Equal(t, "10.0.0.1", Client(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 9}))
	assert.Equal(t, "::1", Client(&net.TCPAddr{IP: net.IPv6loopback, Port: 9}))
	assert.Equal(t, "/run/s", Client(&net.UnixAddr{Name: "/run/s"}))
	assert.Empty(t, Client(nil))
}
