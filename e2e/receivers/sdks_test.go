// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	sdkPoints = 1000
	sdkBatch  = 50
	sdkTryFor = 20 * time.Second
	sdkWithin = 3 * time.Minute
)

// sdkSender sends counters with an SDK and writes lists like e2e/clients.
type sdkSender func(ctx context.Context, protocol, address, run, sender string, count int, folder string) error

// sdks returns the senders of the OpenTelemetry SDKs.
func sdks(t *testing.T) map[string]sdkSender {
	t.Helper()
	dir := filepath.Join(peertest.CacheFolder(t), "otel-clients")
	clients := filepath.Join(peertest.Root(t), "e2e", "clients")
	program := func(env string, command ...string) sdkSender {
		return func(ctx context.Context, protocol, address, run, sender string, count int, folder string) error {
			out, err := peertest.Run(ctx, t, []string{env}, append(slices.Clone(command), protocol, address, run, sender, strconv.Itoa(count), folder)...)
			if err != nil {
				return fmt.Errorf("%w: %s (scripts/otel-clients.sh installs the SDKs)", err, out)
			}
			return nil
		}
	}
	return map[string]sdkSender{
		"Go":         sendWithGo,
		"Python":     program("PYTHONUNBUFFERED=1", filepath.Join(dir, "python", "bin", "python"), filepath.Join(clients, "otel_sender.py")),
		"JavaScript": program("NODE_PATH="+filepath.Join(dir, "node", "node_modules"), "node", filepath.Join(clients, "otel_sender.js")),
		"Java":       program("JAVA_TOOL_OPTIONS=", "java", "-cp", filepath.Join(dir, "java", "jars", "*"), filepath.Join(clients, "OtelSender.java")),
	}
}

func sendWithGo(ctx context.Context, protocol, address, run, sender string, count int, folder string) error {
	sent, err := os.Create(filepath.Join(folder, sender+".sent"))
	if err != nil {
		return err
	}
	defer sent.Close()
	acknowledged, err := os.Create(filepath.Join(folder, sender+".acknowledged"))
	if err != nil {
		return err
	}
	defer acknowledged.Close()
	for first := 0; first < count; first += sdkBatch {
		var exporter sdkmetric.Exporter
		if protocol == "grpc" {
			exporter, err = otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpoint(address), otlpmetricgrpc.WithInsecure(), otlpmetricgrpc.WithTimeout(5*time.Second))
		} else {
			exporter, err = otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpoint(address), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithTimeout(5*time.Second))
		}
		if err != nil {
			return err
		}
		if err := sendBatch(ctx, exporter, run, sender, first, min(first+sdkBatch, count), sent, acknowledged); err != nil {
			return err
		}
	}
	return nil
}

func sendBatch(ctx context.Context, exporter sdkmetric.Exporter, run, sender string, first, end int, sent, acknowledged *os.File) error {
	provider := sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour))),
		sdkmetric.WithResource(resource.NewSchemaless(attribute.String("service.name", sender), attribute.Int("service.instance.id", first))))
	counter, err := provider.Meter("receiver").Int64Counter("receiver_events")
	if err != nil {
		return err
	}
	for n := first; n < end; n++ {
		fmt.Fprintln(sent, n)
		counter.Add(ctx, 1, metric.WithAttributes(attribute.String("run", run), attribute.String("sender", sender), attribute.String("n", strconv.Itoa(n))))
	}
	for until := time.Now().Add(sdkTryFor); ; time.Sleep(200 * time.Millisecond) {
		if err = provider.ForceFlush(ctx); err == nil || time.Now().After(until) {
			break
		}
	}
	if err == nil {
		for n := first; n < end; n++ {
			fmt.Fprintln(acknowledged, n)
		}
	}
	_ = provider.Shutdown(ctx) // Shutdown exports again; its result does not matter.
	return nil
}

// listed returns the numbers in a list file.
func listed(t *testing.T, path string) map[int]bool {
	t.Helper()
	list := map[int]bool{}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return list
	}
	require.NoError(t, err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		n, err := strconv.Atoi(s.Text())
		require.NoError(t, err)
		list[n] = true
	}
	return list
}

// TestOpenTelemetrySDKs makes the SDKs write through the built collector into a real Prometheus.
func TestOpenTelemetrySDKs(t *testing.T) {
	if testing.Short() {
		t.Skip("four SDKs over two protocols take a minute, and require Python, Node, and Java")
	}
	var rows []receiverRow
	d := startPrometheusReceiver(t)
	if stopBackend() {
		d.backend.server.Stop()
	}
	run, folder, all := strconv.FormatInt(time.Now().UnixNano(), 36), t.TempDir(), sdks(t)
	for _, name := range []string{"Go", "Python", "JavaScript", "Java"} {
		for _, protocol := range []string{"grpc", "http"} {
			t.Run(name+" "+protocol, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), sdkWithin)
				defer cancel()
				address := d.OTLP
				if protocol == "http" {
					address = d.OTLP2
				}
				count := sdkPoints
				if stopBackend() {
					count = sdkBatch // The SDK retries each batch for a long time.
				}
				sender := strings.ToLower(name + "-" + protocol)
				require.NoError(t, all[name](ctx, protocol, address, run, sender, count, folder))
				r := d.sdkRow(t, run, sender, folder)
				r.client = "OTel " + name + ", " + protocol
				rows = append(rows, r)
				assert.True(t, r.ok(), "%+v", r)
			})
		}
	}
	showClients(t, rows)
}

// sdkRow compares a sender's lists with Prometheus, which has one series for each number.
func (d *prometheusReceiver) sdkRow(t *testing.T, run, sender, folder string) receiverRow {
	t.Helper()
	sent, acknowledged := listed(t, filepath.Join(folder, sender+".sent")), listed(t, filepath.Join(folder, sender+".acknowledged"))
	r := receiverRow{receiver: "OTLP", sent: len(sent), acknowledged: len(acknowledged)}
	found := map[int]int{}
	if !stopBackend() {
		a, err := d.backend.server.Query(t.Context(), fmt.Sprintf("last_over_time(receiver_events{run=%q,sender=%q}[1h])", run, sender), time.Now().Add(time.Minute))
		require.NoError(t, err)
		for _, s := range a.Series {
			n, err := strconv.Atoi(s.Labels["n"])
			require.NoError(t, err)
			found[n]++
			if !sent[n] || s.Samples[0].Value != 1 {
				r.strange++
			}
		}
	}
	for _, series := range found {
		r.duplicates += series - 1
	}
	for n := range acknowledged {
		if found[n] == 0 {
			r.missing++
		}
	}
	r.found = len(found)
	return r
}
