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
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/charts"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/tap"
)

var (
	_ extensioncapabilities.ConfigWatcher = (*console)(nil)
	_ extensioncapabilities.Dependent     = (*console)(nil)
	_ tap.Provider                        = (*console)(nil)
)

// console serves the page and the API of the host's engine, and keeps the chart history.
type console struct {
	cfg    *Config
	set    extension.Settings
	api    *api
	keeper *keeper
	server *http.Server
	addr   net.Addr      // where it listens, once started
	done   chan struct{} // closed when the server has ended
	stop   context.CancelFunc
	idle   chan struct{} // closed when the housekeeping has ended
}

func newConsole(cfg *Config, set extension.Settings) *console {
	started := time.Now().UTC()
	store := charts.New(charts.Config{MaxBytes: cfg.History.MaxMiB << 20, MaxAge: cfg.History.MaxAge})
	return &console{
		cfg: cfg, set: set, keeper: &keeper{store: store, logger: set.Logger},
		api: &api{
			about: about{Version: set.BuildInfo.Version, Started: started}, charts: store, live: newLive(started, cfg.MaxClients), taps: tap.New(), reports: reports{cfg.Backtests.Directory},
			client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, // without a proxy
		},
	}
}

// Dependencies has the storage extension started first and shut down last.
func (c *console) Dependencies() []component.ID {
	if c.cfg.Storage == nil {
		return nil
	}
	return []component.ID{*c.cfg.Storage}
}

// NotifyConfig takes the collector's whole configuration, before telemetry arrives.
func (c *console) NotifyConfig(_ context.Context, conf *confmap.Conf) error {
	text, err := effectiveConfig(conf)
	if err != nil {
		return fmt.Errorf("%s: the effective configuration cannot be written as YAML: %w", c.key(), err)
	}
	masker, err := maskOf(conf)
	if err != nil {
		return fmt.Errorf("%s: secrets cannot be hidden: %w", c.key(), err)
	}
	c.api.taps.SetMask(masker)
	c.api.configure(newPipelines(conf), text)
	return nil
}

// Taps lets components offer the records that pass them.
func (c *console) Taps() *tap.Taps { return c.api.taps }

// Start restores the chart history and opens the endpoint. The engine is looked for
// until it is found, so the order in which extensions start does not matter.
func (c *console) Start(ctx context.Context, host component.Host) error {
	if err := c.keeper.open(ctx, host, c.set.ID, c.cfg.Storage); err != nil {
		return fmt.Errorf("%s: %w", c.key("storage"), err)
	}
	listener, err := c.cfg.Server.ToListener(ctx)
	if err != nil {
		return c.listenError(err)
	}
	if err := c.serve(ctx, host, listener); err != nil {
		return errors.Join(err, listener.Close())
	}
	c.set.Logger.Info("the console is ready", zap.String("url", c.url()))
	return nil
}

// serve answers on a listener until Shutdown.
func (c *console) serve(ctx context.Context, host component.Host, listener net.Listener) error {
	c.addr = listener.Addr()
	api := c.api
	api.find = func() (*engine.Engine, error) { return engine.Find(host, c.set.Logger) }
	handler, err := api.handler()
	if err != nil {
		return fmt.Errorf("%s: the console's page: %w", c.key(), err)
	}
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
	c.server, c.done, c.idle = server, make(chan struct{}), make(chan struct{})
	run, stop := context.WithCancel(context.Background())
	c.stop = stop
	go c.keepHouse(run)
	go func() {
		defer close(c.done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			c.set.Logger.Error("the console's API has stopped; telemetry is not affected", zap.Stringer("address", c.addr), zap.Error(err))
			componentstatus.ReportStatus(host, componentstatus.NewPermanentErrorEvent(err))
		}
	}()
	return nil
}

// keepHouse connects the chart history with the engine, publishes news, and writes the history, until ctx ends.
func (c *console) keepHouse(ctx context.Context) {
	defer close(c.idle)
	news, expire, save := time.NewTicker(liveEvery), time.NewTicker(expireEvery), time.NewTicker(saveEvery)
	defer news.Stop()
	defer expire.Stop()
	defer save.Stop()
	var e *engine.Engine
	for {
		if e == nil {
			if found, err := c.api.theEngine(); err == nil {
				e = found
				e.SetCharts(c.keeper.store)
				defer e.SetCharts(nil)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-news.C:
			if e != nil && c.api.live.watched() {
				if err := c.api.publish(e); err != nil {
					c.set.Logger.Error("the console's pages are not updated", zap.Error(err))
				}
			}
		case now := <-expire.C:
			c.keeper.store.Expire(now)
			if e != nil {
				c.pin(e, now)
			}
		case <-save.C:
			if err := c.keeper.save(ctx); err != nil && ctx.Err() == nil {
				c.set.Logger.Error("the chart history could not be written, the next attempt follows", zap.Duration("in", saveEvery), zap.Error(err))
			}
		}
	}
}

// pin keeps the series of open incidents the longest.
func (c *console) pin(e *engine.Engine, now time.Time) {
	for _, i := range e.Incidents(incident.StateOpen) {
		for n := range i.Anomalies {
			if id, err := parseSeries(i.Anomalies[n].Series); err == nil {
				c.keeper.store.Pin(uint64(id), now)
			}
		}
	}
}

// Shutdown lets running requests end for as long as ctx permits, ends the streams,
// and writes the chart history. It may be called without Start.
func (c *console) Shutdown(ctx context.Context) error {
	if c.server == nil {
		return c.keeper.close(ctx)
	}
	c.api.live.stop()
	c.stop()
	err := c.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, c.server.Close())
	}
	<-c.done
	<-c.idle
	return errors.Join(err, c.keeper.close(ctx))
}

// key is the place of a setting in the collector's configuration.
func (c *console) key(names ...string) string {
	return strings.Join(append([]string{"extensions", c.set.ID.String()}, names...), "::")
}

// url returns the address of the page for a browser.
func (c *console) url() string {
	scheme := "http"
	if c.cfg.Server.TLS.HasValue() {
		scheme = "https"
	}
	return scheme + "://" + c.addr.String()
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
