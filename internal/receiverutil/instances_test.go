// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
)

type counted struct{ started, stopped int }

func (c *counted) Start(context.Context, component.Host) error {
	c.started++
	return errors.New("busy")
}
func (c *counted) Shutdown(context.Context) error { c.stopped++; return nil }

func TestOneInstanceForAConfiguration(t *testing.T) {
	var all Instances[*counted]
	create := func() (*counted, error) { return &counted{}, nil }
	cfg := &struct{ n int }{}
	one, err := all.Get(cfg, create)
	require.NoError(t, err)
	two, err := all.Get(cfg, create)
	require.NoError(t, err)
	assert.Same(t, one, two)
	other, err := all.Get(&struct{ n int }{}, create)
	require.NoError(t, err)
	assert.NotSame(t, one, other)

	require.EqualError(t, one.Start(t.Context(), nil), "busy")
	require.EqualError(t, two.Start(t.Context(), nil), "busy", "who comes later learns it too")
	require.NoError(t, one.Shutdown(t.Context()))
	require.NoError(t, two.Shutdown(t.Context()))
	assert.Equal(t, counted{1, 1}, *one.Component)

	again, err := all.Get(cfg, create)
	require.NoError(t, err)
	assert.NotSame(t, one, again, "what was stopped is not started again")
	_, err = all.Get(&struct{ n int }{}, func() (*counted, error) { return nil, errors.New("no") })
	require.EqualError(t, err, "no")
}
