// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

const benchSeries = 2000 // typical of one Prometheus request

// benchMessage returns one scrape of a service, in order: counters, gauges, and classic
// histograms.
func benchMessage() message {
	var text bytes.Buffer
	const target = `job="shop",instance="10.0.0.1:8080"`
	for i := range benchSeries / 2 {
		fmt.Fprintf(&text, "http_requests_total{%s,code=\"200\",method=\"GET\",path=\"/item/%d\"} counter - \"Requests.\" : %d@1700000000000\n", target, i, i)
	}
	for i := range benchSeries * 3 / 10 {
		fmt.Fprintf(&text, "queue_length{%s,queue=\"q%d\"} gauge - \"Waiting.\" : %d.5@1700000000000\n", target, i, i)
	}
	for i := range benchSeries / 5 / 10 {
		for le := range 7 {
			fmt.Fprintf(&text, "latency_seconds_bucket{%s,path=\"/%d\",le=\"%d\"} histogram seconds \"How long.\" : %d@1700000000000\n", target, i, le, 10*le)
		}
		fmt.Fprintf(&text, "latency_seconds_bucket{%s,path=\"/%d\",le=\"+Inf\"} histogram seconds \"How long.\" : 70@1700000000000\n", target, i)
		fmt.Fprintf(&text, "latency_seconds_sum{%s,path=\"/%d\"} histogram seconds \"How long.\" : 99@1700000000000\n", target, i)
		fmt.Fprintf(&text, "latency_seconds_count{%s,path=\"/%d\"} histogram seconds \"How long.\" : 70@1700000000000\n", target, i)
	}
	m, err := parseMessage(text.String())
	if err != nil {
		panic(err)
	}
	return m
}

// intake holds a request to a collector and the processor time that it used.
type intake struct {
	name, url, contentType, encoding string
	body                             []byte
	cpu                              time.Duration
}

func (d *intake) send(b *testing.B, client *http.Client) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, d.url, bytes.NewReader(d.body))
	require.NoError(b, err)
	req.Header.Set("Content-Type", d.contentType)
	if d.encoding != "" {
		req.Header.Set("Content-Encoding", d.encoding)
	}
	res, err := client.Do(req)
	require.NoError(b, err)
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(b, err)
	require.NoError(b, res.Body.Close())
	require.Equal(b, 2, res.StatusCode/100)
}

// cpuTime returns the CPU time that the process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBesideOTLP compares the CPU time of this receiver, in both versions, with that of
// core's OTLP receiver, for the same content and in alternation. The client's time is included in
// all figures. An event is a sample: a histogram that is one data point in OTLP counts as ten
// events in all receivers.
func BenchmarkBesideOTLP(b *testing.B) {
	m := benchMessage()
	sink := &keeping{}
	r := start(b, sink, nil)
	r.post(contentV2, m.v2())
	proto, err := pmetricotlp.NewExportRequestFromMetrics(sink.last).MarshalProto()
	require.NoError(b, err)
	otlp := startOTLP(b)
	intakes := []*intake{
		{name: "otlp", url: otlp, contentType: "application/x-protobuf", encoding: "snappy", body: snappy.Encode(nil, proto)},
		{name: "rw1", url: "http://" + r.addr + path, contentType: contentV1, encoding: "snappy", body: snappy.Encode(nil, m.v1())},
		{name: "rw2", url: "http://" + r.addr + path, contentType: contentV2, encoding: "snappy", body: snappy.Encode(nil, m.v2())},
	}
	client := &http.Client{}
	for _, d := range intakes {
		d.send(b, client)
	}
	runtime.GC()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, d := range intakes {
			before := cpuTime()
			d.send(b, client)
			d.cpu += cpuTime() - before
		}
		n++
	}
	for _, d := range intakes {
		b.ReportMetric(float64(n*benchSeries)/d.cpu.Seconds(), d.name+"-samples/cpu-s")
		if d != intakes[0] {
			b.ReportMetric(intakes[0].cpu.Seconds()/d.cpu.Seconds(), d.name+"/otlp")
		}
	}
}

// keeping keeps the last batch.
type keeping struct {
	pipeline
	last pmetric.Metrics
}

func (k *keeping) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	k.last = md
	return nil
}

// startOTLP starts core's OTLP receiver and returns the URL for metrics.
func startOTLP(b *testing.B) string {
	b.Helper()
	factory := otlpreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	free, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b, err)
	address := free.Addr().String()
	require.NoError(b, free.Close())
	require.NoError(b, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"http": map[string]any{"endpoint": address}}}).Unmarshal(cfg))
	created, err := factory.CreateMetrics(b.Context(), receivertest.NewNopSettings(factory.Type()), cfg, consumertest.NewNop())
	require.NoError(b, err)
	require.NoError(b, created.Start(b.Context(), componenttest.NewNopHost()))
	b.Cleanup(func() { _ = created.Shutdown(b.Context()) })
	return "http://" + address + "/v1/metrics"
}
