// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLimitsAreChecked(t *testing.T) {
	defaults := Limits{Concurrency: 1, ConcurrencyPerClient: 1, DecompressedBytes: 1, Items: 1, ItemBytes: 1, Fields: 1, FieldBytes: 1, Values: 1}
	require.NoError(t, defaults.Check(defaults))
	err := Limits{Wait: -time.Second, Items: -7, Depth: 3}.Check(defaults)
	for _, want := range []string{
		"limits::wait: is -1s, it must not be negative", "limits::concurrency: is 0, it must be at least 1", "limits::concurrency_per_client: is 0",
		"limits::decompressed_bytes: is 0", "limits::items: is -7", "limits::item_bytes: is 0", "limits::fields: is 0", "limits::field_bytes: is 0",
		"limits::values: is 0", "limits::depth: does not apply to this receiver, remove the key",
	} {
		require.ErrorContains(t, err, want)
	}
	assert.Len(t, strings.Split(err.Error(), "\n"), 10)
}

func TestChunkIsChecked(t *testing.T) {
	require.NoError(t, Chunk{Items: 1, Bytes: 1}.Check())
	err := Chunk{Bytes: -1}.Check()
	require.ErrorContains(t, err, "chunk::items: is 0, it must be at least 1")
	require.ErrorContains(t, err, "chunk::bytes: is -1")
}
