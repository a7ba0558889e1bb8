// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package logutil

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, log := observer.New(zap.DebugLevel)
		l := NewLimiter(zap.New(core))
		l.Warn("a", 1, "first")
		l.Warn("a", 2, "too early")
		l.Error("b", 5, "another kind")
		time.Sleep(interval - time.Second)
		l.Warn("a", 3, "too early")
		time.Sleep(time.Second)
		l.Warn("a", 4, "due", zap.String("who", "x"))

		var lines []observer.LoggedEntry
		for _, e := range log.All() {
			if e.Level > zap.DebugLevel {
				lines = append(lines, e)
			}
		}
		if assert.Len(t, lines, 3) {
			assert.Equal(t, []string{"first", "another kind", "due"}, []string{lines[0].Message, lines[1].Message, lines[2].Message})
			assert.Equal(t, zap.ErrorLevel, lines[1].Level)
			assert.Equal(t, map[string]any{"count": int64(1)}, lines[0].ContextMap())
			assert.Equal(t, map[string]any{"count": int64(9), "who": "x"}, lines[2].ContextMap())
		}
		assert.Equal(t, 2, log.FilterMessage("too early").Len(), "the others are in the log at level debug")
	})
}
