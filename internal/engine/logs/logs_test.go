// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/template"
)

func TestTemplatesOfAServiceAreBounded(t *testing.T) {
	s := &service{Templates: map[template.ID]*logTemplate{}}
	room := math.MaxInt
	for i := range 3 * maxTemplates {
		s.count(template.ID(i), int64(i), &room)
	}
	assert.Len(t, s.Templates, 2*maxTemplates)
	s.Templates[7].Windows = window.Established
	s.trim(0, window.Established)
	assert.Len(t, s.Templates, maxTemplates)
	assert.Contains(t, s.Templates, template.ID(7), "what has a series stays")
	s.trim(2*maxTemplates-10, window.Established)
	assert.Len(t, s.Templates, 10, "what was not seen for long goes")
}

// A template and a service watch a bounded count of numbers.
func TestNumbersAreBounded(t *testing.T) {
	var known logTemplate
	room := 0
	for slot := range 10 {
		known.take([]template.Param{{Slot: slot, Value: 1}}, &room)
	}
	assert.Len(t, known.Params, maxParams)
	room = maxServiceParams
	known = logTemplate{}
	known.take([]template.Param{{Value: 1}}, &room)
	assert.Empty(t, known.Params)
}

// The room for templates is that of all services together, and follows the limit of memory.
func TestRoomForTemplates(t *testing.T) {
	j := judge.New(judge.Config{FalseAlarms: budget.FalseAlarms{Count: 5, Per: time.Hour, Replicas: 1, MaxAlpha: 1e-3}, MaxSeries: 1000, SeriesTTL: time.Hour}, zap.NewNop())
	j.SetNow(time.Unix(0, 0))
	l := New(j, nil, nil, time.Hour, 10)
	for i, name := range []string{"a", "b"} {
		for id := range 4 {
			assert.NotNil(t, l.serviceOf(name).count(template.ID(10*i+id), 1, &l.room))
		}
	}
	assert.Equal(t, 2, l.room)
	l.Tick(time.Unix(1, 0))
	assert.Equal(t, 2, l.room)
	l.SetEntries(8)
	l.Tick(time.Unix(2, 0))
	assert.Nil(t, l.serviceOf("a").count(99, 1, &l.room))
}
