// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package census

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/series"
)

// create notes n series of a service that differ in one attribute.
func create(c *Census, service, key string, n int) {
	for i := range n {
		m := pcommon.NewMap()
		m.PutStr(key, strconv.Itoa(i))
		m.PutStr("region", "north")
		c.Note(service, series.Text(service).Join(series.Attributes(m)), m)
	}
}

func TestWhoCreatesMostSeriesIsNamed(t *testing.T) {
	c := New()
	for i := range 5000 {
		create(c, fmt.Sprint("quiet", i), "host", 1)
	}
	create(c, "noisy", "request.id", 100_000)
	create(c, "noisy", "request.id", 1000) // again
	create(c, "busy", "user", 3000)
	top := c.Services(10)
	require.Len(t, top, 10)
	assert.Equal(t, []string{"noisy", "busy"}, []string{top[0].Name, top[1].Name})
	assert.InEpsilon(t, 100_000, top[0].Series, 0.2)
	assert.InEpsilon(t, 3000, top[1].Series, 0.2)
	keys := c.Attributes(10)
	require.Len(t, keys, 4)
	assert.Equal(t, []string{"request.id", "user"}, []string{keys[0].Name, keys[1].Name})
	assert.Equal(t, 1, keys[3].Series, "an attribute with one value creates nothing")
	assert.LessOrEqual(t, len(c.services.now), maxNames)
}

func TestCensusIsOfTheLastHours(t *testing.T) {
	c := New()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	c.Tick(now)
	create(c, "early", "a", 10)
	c.Tick(now.Add(period))
	create(c, "early", "a", 10)
	create(c, "late", "a", 5)
	assert.Equal(t, []Count{{"early", 10}, {"late", 5}}, c.Services(10), "the same ones are counted once")
	c.Tick(now.Add(2 * period))
	c.Tick(now.Add(3 * period))
	assert.Empty(t, c.Services(10))
}
