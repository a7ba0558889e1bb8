// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/wire/bounds"
)

// The estimated memory of an event covers its memory in a batch.
func TestCost(t *testing.T) {
	var fields strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&fields, `"%d":{"b":1},`, i)
	}
	for name, content := range map[string]string{
		"fields":        `{` + fields.String() + `"":1}`,
		"small numbers": `{"a":[` + strings.Repeat("1,", 40_000) + `1]}`,
		"numbers":       `{"a":[` + strings.Repeat("123456.5,", 40_000) + `1]}`,
		"strings":       `{"a":[` + strings.Repeat(`"",`, 40_000) + `1]}`,
		"objects":       `{"a":[` + strings.Repeat(`{"b":1},`, 20_000) + `1]}`,
		"empty objects": `{"a":[` + strings.Repeat(`{},`, 40_000) + `1]}`,
		"lists":         `{"a":[` + strings.Repeat(`[1],`, 20_000) + `1]}`,
		"a long string": `{"message":"` + strings.Repeat("x", 10*mebibyte) + `"}`,
		"escapes":       `{"message":"` + strings.Repeat(`\u0001`, mebibyte) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			values, _ := bounds.JSON([]byte(content))
			before := heap()
			var p chunk
			p.reset("")
			assert.Nil(t, p.add([]byte(content), false, true))
			took := heap() - before
			estimate := bounds.Cost(len(content), values)
			t.Logf("%d bytes, %d values: %d KiB, estimated %d KiB", len(content), values, took>>10, estimate>>10)
			assert.LessOrEqual(t, took, estimate)
			assert.Equal(t, 1, p.batch.Logs.LogRecordCount())
		})
	}
}
