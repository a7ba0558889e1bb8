// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/auspex-otel/auspex/internal/ecs"
	lj "github.com/auspex-otel/auspex/internal/wire/lumberjack/lumberjacktest"
)

const (
	rateEvents = 1000 // per request
	rateTurns  = 5
	rateTurn   = time.Second
)

// rateRow is a receiver with the number of events that it accepted and the processor time that the collector used.
type rateRow struct {
	receiver, content string
	send              func() error
	events, cpu       float64
}

func (r *rateRow) rate() float64 { return r.events / r.cpu }

// TestEventsPerCore sends the same content to each receiver alternately. It compares how many events the built
// collector accepts per second of processor time. The exporters discard the data, and the clients' time is not
// counted.
func TestEventsPerCore(t *testing.T) {
	if testing.Short() {
		t.Skip("measuring eight receivers takes 40 seconds")
	}
	if runtime.GOOS != "linux" {
		t.Skip("processor time is read from /proc, which only Linux has")
	}
	d := startBareReceivers(t, "")
	rows := append(d.logRates(t), d.sampleRates(t)...)
	for _, r := range rows {
		require.NoError(t, r.send(), r.receiver) // The first request differs: connections are set up.
	}
	for range rateTurns {
		for _, r := range rows {
			before, err := d.CPUSeconds()
			require.NoError(t, err)
			for end := time.Now().Add(rateTurn); time.Now().Before(end); r.events += rateEvents {
				require.NoError(t, r.send(), r.receiver)
			}
			after, err := d.CPUSeconds()
			require.NoError(t, err)
			r.cpu += after - before
		}
	}
	show(t, "events per second of processor time", columns("receiver\t| content\t| events\t| CPU s\t| events per CPU s\t| to OTLP/proto\t| to OTLP/JSON", func(line func(cells ...any)) {
		for _, group := range [][]*rateRow{rows[:4], rows[4:]} {
			for _, r := range group {
				assert.Positive(t, r.cpu, r.receiver)
				line(r.receiver, r.content, int(r.events), fmt.Sprintf("%.2f", r.cpu), int(r.rate()), fmt.Sprintf("%.2f", r.rate()/group[0].rate()), fmt.Sprintf("%.2f", r.rate()/group[1].rate()))
			}
		}
	}))
}

// post returns a function that sends one request.
func post(url, contentType, encoding string, body []byte) func() error {
	return func() error {
		req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", contentType)
		if encoding != "" {
			req.Header.Set("Content-Encoding", encoding)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err == nil && (res.StatusCode/100 != 2 || bytes.Contains(text, []byte(`"errors":true`))) {
			err = fmt.Errorf("%s: %s", res.Status, text[:min(len(text), 300)])
		}
		return err
	}
}

// logRates returns the receivers of log records. They receive events in Filebeat's format, and the records that the
// receivers derive from them.
func (d *bareReceivers) logRates(t *testing.T) []*rateRow {
	t.Helper()
	var events []string
	var bulk bytes.Buffer
	batch := ecs.NewBatch("receivers", "1.0")
	for i := range rateEvents {
		event := fmt.Sprintf(`{"@timestamp":"2026-05-04T12:00:00.%03dZ","message":"GET /cart/%d 200 in %d ms","log":{"offset":%d,"file":{"path":"/var/log/shop.log"}},`+
			`"input":{"type":"log"},"ecs":{"version":"1.12.0"},"host":{"name":"web-1","architecture":"x86_64","os":{"type":"linux","version":"12"}},`+
			`"agent":{"id":"f7c1","name":"web-1","type":"filebeat","version":"7.17.29","ephemeral_id":"e"},"service":{"name":"cart"}}`, i, i, i%90, 64*i)
		events = append(events, event)
		bulk.WriteString(`{"create":{"_index":"filebeat-7.17.29"}}` + "\n" + event + "\n")
		f, err := ecs.Parse([]byte(event))
		require.NoError(t, err)
		f.Route("filebeat-7.17.29", "", "", "")
		batch.AddLog(f, f.ID(), 1)
	}
	otlp := plogotlp.NewExportRequestFromLogs(batch.Logs)
	proto, err := otlp.MarshalProto()
	require.NoError(t, err)
	text, err := otlp.MarshalJSON()
	require.NoError(t, err)
	conn, err := net.Dial("tcp", d.lumberjack)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	window := lj.Batch(events...)
	const content = "Filebeat's events"
	return []*rateRow{
		{receiver: "OTLP/proto, HTTP", content: content, send: post("http://"+d.otlp+"/v1/logs", "application/x-protobuf", "", proto)},
		{receiver: "OTLP/JSON, HTTP", content: content, send: post("http://"+d.otlp+"/v1/logs", "application/json", "", text)},
		{receiver: "lumberjack", content: content, send: func() error { return sendWindow(conn, window) }},
		{receiver: "elasticsearch_bulk", content: content, send: post("http://"+d.bulk+"/_bulk", "application/x-ndjson", "", bulk.Bytes())},
	}
}

// sendWindow sends a window and waits until all of its events are acknowledged.
func sendWindow(conn net.Conn, window []byte) error {
	if _, err := conn.Write(window); err != nil {
		return err
	}
	for ack := make([]byte, 6); ; {
		if _, err := io.ReadFull(conn, ack); err != nil {
			return err
		}
		if ack[0] != '2' || ack[1] != 'A' {
			return errors.New("no acknowledgement")
		}
		if binary.BigEndian.Uint32(ack[2:]) == rateEvents {
			return nil
		}
	}
}

// sampleRates returns the receivers of samples. They receive the same counters of one service in each format.
func (d *bareReceivers) sampleRates(t *testing.T) []*rateRow {
	t.Helper()
	now := time.Now().UnixMilli()
	one, two := &prompb.WriteRequest{}, &writev2.Request{Symbols: []string{"", "__name__", "requests_total", "code", "200", "instance", "10.0.0.1:80", "job", "shop", "path"}}
	metrics := pmetric.NewMetrics()
	rm := metrics.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	rm.Resource().Attributes().PutStr("service.instance.id", "10.0.0.1:80")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("requests_total")
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for i := range rateEvents {
		path := fmt.Sprint("/item/", i)
		one.Timeseries = append(one.Timeseries, prompb.TimeSeries{
			Labels: []prompb.Label{
				{Name: "__name__", Value: "requests_total"},
				{Name: "code", Value: "200"},
				{Name: "instance", Value: "10.0.0.1:80"},
				{Name: "job", Value: "shop"},
				{Name: "path", Value: path},
			},
			Samples: []prompb.Sample{{Value: float64(i), Timestamp: now}},
		})
		two.Symbols = append(two.Symbols, path)
		two.Timeseries = append(two.Timeseries, writev2.TimeSeries{
			LabelsRefs: []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, uint32(len(two.Symbols) - 1)},
			Samples:    []writev2.Sample{{Value: float64(i), Timestamp: now}},
			Metadata:   writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_COUNTER},
		})
		p := sum.DataPoints().AppendEmpty()
		p.SetDoubleValue(float64(i))
		p.SetTimestamp(pcommon.Timestamp(now * int64(time.Millisecond)))
		p.Attributes().PutStr("code", "200")
		p.Attributes().PutStr("path", path)
	}
	otlp := pmetricotlp.NewExportRequestFromMetrics(metrics)
	bodies := make([][]byte, 4)
	for i, marshal := range []func() ([]byte, error){otlp.MarshalProto, otlp.MarshalJSON, one.Marshal, two.Marshal} {
		plain, err := marshal()
		require.NoError(t, err)
		bodies[i] = snappy.Encode(nil, plain)
	}
	const content = "samples, snappy"
	write := "http://" + d.remoteWrite + "/api/v1/write"
	return []*rateRow{
		{receiver: "OTLP/proto, HTTP", content: content, send: post("http://"+d.otlp+"/v1/metrics", "application/x-protobuf", "snappy", bodies[0])},
		{receiver: "OTLP/JSON, HTTP", content: content, send: post("http://"+d.otlp+"/v1/metrics", "application/json", "snappy", bodies[1])},
		{receiver: "remote write 1.0", content: content, send: post(write, "application/x-protobuf", "snappy", bodies[2])},
		{receiver: "remote write 2.0", content: content, send: post(write, "application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy", bodies[3])},
	}
}
