// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine"
)

// console serves the API of the host's engine.
type console struct {
	cfg    *Config
	set    extension.Settings
	server *http.Server
	addr   net.Addr      // where it listens, once started
	done   chan struct{} // closed when the server has ended
}

func newConsole(cfg *Config, set extension.Settings) *console {
	return &console{cfg: cfg, set: set}
}

// Start opens the endpoint. The engine is not looked for before the first
// request, so the order in which extensions start does not matter.
func (c *console) Start(ctx context.Context, host component.Host) error {
	listener, err := c.cfg.Server.ToListener(ctx)
	if err != nil {
		return c.listenError(err)
	}
	if err := c.serve(ctx, host, listener); err != nil {
		return errors.Join(err, listener.Close())
	}
	c.set.Logger.Info("the console's API is ready", zap.Stringer("address", c.addr))
	return nil
}

// serve answers on a listener until Shutdown.
func (c *console) serve(ctx context.Context, host component.Host, listener net.Listener) error {
	c.addr = listener.Addr()
	api := newAPI(about{Version: c.set.BuildInfo.Version, Started: time.Now().UTC()}, func() (*engine.Engine, error) {
		return engine.Find(host, c.set.Logger)
	})
	handler := api.handler()
	if isLoopback(c.addr) {
		handler = localHostOnly(handler)
	} else if _, tcp := c.addr.(*net.TCPAddr); tcp && !c.cfg.Server.Auth.HasValue() {
		api.readOnly = true
		c.set.Logger.Warn("the console's API answers everyone who can reach it: bind it to 127.0.0.1 or configure auth",
			zap.String("key", c.key("endpoint")), zap.Stringer("address", c.addr))
	}
	server, err := c.cfg.Server.ToServer(ctx, host.GetExtensions(), c.set.TelemetrySettings, handler, confighttp.WithErrorHandler(serverError))
	if err != nil {
		return fmt.Errorf("%s: the console's server: %w", c.key(), err)
	}
	c.server, c.done = server, make(chan struct{})
	go func() {
		defer close(c.done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			c.set.Logger.Error("the console's API has stopped; telemetry is not affected", zap.Stringer("address", c.addr), zap.Error(err))
			componentstatus.ReportStatus(host, componentstatus.NewPermanentErrorEvent(err))
		}
	}()
	return nil
}

// Shutdown lets running requests end for as long as ctx permits. It may be called without Start.
func (c *console) Shutdown(ctx context.Context) error {
	if c.server == nil {
		return nil
	}
	err := c.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, c.server.Close())
	}
	<-c.done
	return err
}

// key is the place of a setting in the collector's configuration.
func (c *console) key(names ...string) string {
	return strings.Join(append([]string{"extensions", c.set.ID.String()}, names...), "::")
}

func (c *console) listenError(err error) error {
	endpoint := c.cfg.Server.NetAddr.Endpoint
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s: the console cannot listen on %s, another program does: end that program, or set another endpoint: %w",
			c.key("endpoint"), endpoint, err)
	}
	return fmt.Errorf("%s: the console cannot listen on %s: set an address of this machine that is free, and check tls if you set it: %w",
		c.key("endpoint"), endpoint, err)
}
