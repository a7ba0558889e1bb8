// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/auspex-otel/auspex/receiver/elasticsearchbulkreceiver/internal/metadata"
)

func unstarted(t *testing.T, change func(*Config)) component.Component {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	change(cfg)
	c, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	return c
}

func TestStartFails(t *testing.T) {
	busy := start(t, &pipeline{}, nil)
	c := unstarted(t, func(c *Config) { c.ServerConfig.NetAddr.Endpoint = busy.http.Addr().String() })
	require.ErrorContains(t, c.Start(t.Context(), componenttest.NewNopHost()), "another program does")
	require.NoError(t, c.Shutdown(t.Context()))
	c = unstarted(t, func(c *Config) { c.ServerConfig.NetAddr.Endpoint = "no.such.host.invalid:1" })
	require.ErrorContains(t, c.Start(t.Context(), componenttest.NewNopHost()), "::endpoint: cannot listen on no.such.host.invalid:1")
	require.NoError(t, c.Shutdown(t.Context()))
}

// At shutdown, requests in progress are finished and answered.
func TestShutdownFinishesRequests(t *testing.T) {
	began, open := make(chan struct{}), make(chan struct{})
	next := &pipeline{answer: func(context.Context, int, []string) error { close(began); <-open; return nil }}
	r := start(t, next, nil)
	answered := make(chan reply, 1)
	go func() { answered <- r.bulk(toIndex, said("m")) }()
	<-began
	ended := make(chan error, 1)
	go func() { ended <- r.Shutdown(t.Context()) }()
	require.Eventually(t, r.draining.Load, patience, time.Millisecond)
	close(open)
	assert.Equal(t, []int{201}, (<-answered).statuses(t))
	require.NoError(t, <-ended)
	_, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.http.Addr().String())
	require.Error(t, err)
}

// A pipeline that never returns does not block the shutdown of the collector.
func TestShutdownIsBounded(t *testing.T) {
	began, open := make(chan struct{}), make(chan struct{})
	next := &pipeline{answer: func(context.Context, int, []string) error { close(began); <-open; return nil }}
	r := start(t, next, nil)
	lost := make(chan error, 1)
	go func() {
		res, err := http.Post(r.url+"/i/_bulk", "application/json", bytesOf(toIndex, said("m")))
		if err == nil {
			_ = res.Body.Close()
			err = fmt.Errorf("answered %s", res.Status)
		}
		lost <- err
	}()
	<-began
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, r.Shutdown(ctx), "requests were not finished")
	require.NotContains(t, (<-lost).Error(), "answered", "no answer is no acknowledgement")
	close(open)
}
