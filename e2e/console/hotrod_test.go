// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	// usualDelay and slowDelay are the delays of HotROD's database.
	usualDelay, slowDelay = "60ms", "400ms"
	// learnWithin bounds how long the models take to learn: 100 windows of 15 s, and some.
	learnWithin = 40 * time.Minute
	// foundWithin bounds how long the fault may last before its incident is open, watched how long it is then left to develop.
	foundWithin, watched = 5 * time.Minute, time.Minute
)

// hotrodConfig is a collector that observes the traces of HotROD.
const hotrodConfig = `
receivers:
  otlp:
    protocols:
      http:
        endpoint: ${env:E2E_OTLP}
processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 512
  anomaly:
exporters:
  nop:
extensions:
  health_check:
    endpoint: ${env:E2E_HEALTH}
  anomaly_console:
    endpoint: ${env:E2E_CONSOLE}
  anomaly_engine:
service:
  extensions: [health_check, anomaly_engine, anomaly_console]
  telemetry:
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: ${env:E2E_METRICS_HOST}
                port: ${env:E2E_METRICS_PORT}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, anomaly]
      exporters: [nop]
`

// TestHotROD watches the example application of Jaeger, which its authors instrumented, and
// makes its database slow: the first suspect must be the service that asks the database, or
// the database. It takes half an hour, because models learn from live traffic.
func TestHotROD(t *testing.T) {
	if os.Getenv("AUSPEX_HOTROD") == "" {
		t.Skip("takes half an hour: make e2e-console-hotrod")
	}
	s := newSetup(t)
	c := peertest.StartCollector(t, peertest.CollectorOptions{Config: hotrodConfig})
	s.page = "http://" + c.Console
	app := hotrod{filepath.Join(peertest.CacheFolder(t), "hotrod-1.76.0", "hotrod"), []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + c.OTLP}, t.TempDir()}
	customer := app.start(t, "customer", usualDelay)
	for _, name := range []string{"driver", "route", "frontend"} {
		app.start(t, name, usualDelay)
	}
	order(t)
	peertest.Eventually(t, learnWithin, "the models to learn", func() error { return learned(t.Context(), c, "customer") })

	customer.Stop()
	app.start(t, "customer", slowDelay)
	slow := time.Now()
	t.Logf("the database takes %s instead of %s since %s", slowDelay, usualDelay, slow.UTC().Format(time.TimeOnly))
	var found incident.Incident
	peertest.Eventually(t, foundWithin, "an incident of customer", func() (err error) {
		found, err = incidentOf(t.Context(), c, "customer")
		return err
	})
	t.Logf("found after %v", time.Since(slow).Round(time.Second))
	time.Sleep(watched)
	found, err := incidentOf(t.Context(), c, "customer")
	require.NoError(t, err)
	require.NotEmpty(t, found.Suspects)
	t.Logf("suspects: %v", suspects(found))
	s.drive(t, "hotrod", "customer", found.Suspects[0].Service, found.ID)
	require.Contains(t, []string{"customer", "mysql"}, found.Suspects[0].Service)
}

// hotrod starts the services of HotROD.
type hotrod struct {
	program string
	env     []string
	logs    string
}

func (h hotrod) start(t *testing.T, service, delay string) *peertest.Process {
	t.Helper()
	args := []string{service, "-M", "-D", delay}
	for _, name := range []string{"customer", "driver", "frontend", "route"} {
		args = append(args, "--"+name+"-service-hostname", "127.0.0.1")
	}
	return peertest.Program{Name: "HotROD's " + service, Path: h.program, Args: args, Env: h.env, Log: filepath.Join(h.logs, service)}.Start(t)
}

// order orders rides until the test ends, about five per second.
func order(t *testing.T) {
	t.Helper()
	for range 4 {
		go func() {
			client := &http.Client{Timeout: 10 * time.Second}
			for t.Context().Err() == nil {
				customer := []int{123, 392, 731, 567}[rand.IntN(4)]
				resp, err := client.Get(fmt.Sprintf("http://127.0.0.1:8080/dispatch?customer=%d&nonse=%f", customer, rand.Float64()))
				if err == nil {
					_ = resp.Body.Close()
				}
				time.Sleep(time.Duration(rand.ExpFloat64() * float64(700*time.Millisecond)))
			}
		}()
	}
}

// learned returns an error unless most series of a service have scores.
func learned(ctx context.Context, c *peertest.Collector, service string) error {
	var services struct {
		Services []struct {
			Name    string `json:"name"`
			Series  int    `json:"series"`
			Warming int    `json:"warming"`
		} `json:"services"`
	}
	if err := c.Ask(ctx, "/api/v1/services", &services); err != nil {
		return err
	}
	for _, s := range services.Services {
		if s.Name == service {
			if s.Warming*2 > s.Series {
				return fmt.Errorf("%d of %d series of %s are still learning", s.Warming, s.Series, service)
			}
			return nil
		}
	}
	return fmt.Errorf("service %s is not known yet", service)
}

// incidentOf returns the open incident with an anomaly of a service.
func incidentOf(ctx context.Context, c *peertest.Collector, service string) (incident.Incident, error) {
	var list struct {
		Incidents []incident.Incident `json:"incidents"`
	}
	if err := c.Ask(ctx, "/api/v1/incidents", &list); err != nil {
		return incident.Incident{}, err
	}
	for _, i := range list.Incidents {
		for _, a := range i.Anomalies {
			if a.Service == service && len(i.Suspects) > 0 {
				return i, nil
			}
		}
	}
	return incident.Incident{}, fmt.Errorf("%d incidents are open, none of %s", len(list.Incidents), service)
}

func suspects(i incident.Incident) string {
	names := make([]string, len(i.Suspects))
	for n := range i.Suspects {
		names[n] = i.Suspects[n].Service + " " + i.Suspects[n].Name
	}
	return strings.Join(names, ", ")
}
