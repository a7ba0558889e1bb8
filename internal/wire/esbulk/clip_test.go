// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package esbulk

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClip(t *testing.T) {
	for _, unit := range []string{"a", "ö", "日", `"`, `\`, "\n", "\u0001", "\U0001F600"} {
		for _, repeats := range []int{0, 1, clipped / 4, clipped, 10 * clipped} {
			value := map[string]any{"reason": strings.Repeat(unit, repeats), "status": 400.0, "type": "x"}
			text, err := json.Marshal(value)
			require.NoError(t, err)
			for _, r := range []io.Reader{strings.NewReader(string(text)), iotest.OneByteReader(strings.NewReader(string(text)))} {
				short, err := io.ReadAll(Clip(r))
				require.NoError(t, err)
				var got map[string]any
				require.NoError(t, json.Unmarshal(short, &got), "%q", unit)
				assert.LessOrEqual(t, len(short), clipped+60)
				assert.Equal(t, value["status"], got["status"])
				assert.True(t, strings.HasPrefix(value["reason"].(string), strings.TrimRight(got["reason"].(string), "\uFFFD")), "%q", unit)
				if len(text) < clipped {
					assert.Equal(t, string(text), string(short))
				}
			}
		}
	}
}

func TestResponseWithALongReason(t *testing.T) {
	text := `{"errors":true,"items":[{"create":{"status":400,"error":{"type":"a","reason":"` + strings.Repeat(`\"x\u00e9`, 1<<20) + `"}}},{"create":{"status":201}}]}`
	results, err := ReadResponse(strings.NewReader(text), 2)
	require.NoError(t, err)
	assert.Equal(t, 400, results[0].Status)
	assert.Less(t, len(results[0].Reason), clipped)
	assert.True(t, strings.HasPrefix(results[0].Reason, `"xé"xé`))
	assert.Equal(t, 201, results[1].Status)
}
