// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// killElasticReceivers kills the collector while clients send to the receivers that write to Elasticsearch.
func killElasticReceivers(t *testing.T, random *rand.Rand) (rows []killRow) {
	t.Helper()
	d := startElasticReceivers(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const endless = 1 << 30
	senders := []struct {
		name, receiver string
		send           elasticSender
	}{
		{"otlp-grpc", "OTLP, gRPC", d.sendWindows(d.overGRPC)},
		{"otlp-http", "OTLP, HTTP", d.sendWindows(d.overHTTP)},
		{"go-lumber", "lumberjack", d.sendWithGoLumber},
		{"go-elasticsearch", "elasticsearch_bulk", d.sendWindows(d.inBulk)},
	}
	var all sync.WaitGroup
	for _, s := range senders {
		all.Go(func() { assert.ErrorIs(t, s.send(ctx, s.name, endless), context.Canceled, s.name) })
	}
	time.Sleep(time.Second)
	played := killOften(t, random, d.Collector, d.es.Stop, d.es.Start)
	time.Sleep(5 * time.Second)
	cancel()
	all.Wait()
	d.Kill() // so that it delivers no more data
	for _, s := range senders {
		found := d.row(t, s.name, s.receiver, readElasticLists(t, d.folder, s.name))
		r := played
		r.receiver, r.client, r.sent, r.acknowledged = s.receiver, s.name, found.sent, found.acknowledged
		r.found, r.missing, r.duplicates = found.found, found.missing, found.duplicates
		rows = append(rows, r)
	}
	return rows
}

// sendSome sends one request. It returns the acknowledged events and those to send again.
type sendSome func(ctx context.Context, name string, numbers []int) (done, again []int)

// sendWindows sends one window at a time and resends its unacknowledged events.
func (d *elasticReceivers) sendWindows(send sendSome) elasticSender {
	return func(ctx context.Context, name string, count int) error {
		const window = 100
		for first := 0; first < count; first += window {
			var left []int
			for n := first; n < min(first+window, count); n++ {
				left = append(left, n)
			}
			if err := d.list(name, "sent", left...); err != nil {
				return err
			}
			for len(left) > 0 {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				done, again := send(ctx, name, left)
				if err := d.list(name, "acknowledged", done...); err != nil {
					return err
				}
				if left = again; len(left) > 0 {
					time.Sleep(50 * time.Millisecond)
				}
			}
		}
		return nil
	}
}

// inBulk sends with go-elasticsearch.
func (d *elasticReceivers) inBulk(ctx context.Context, name string, numbers []int) (done, again []int) {
	es, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: []string{"http://" + d.bulk}, DisableRetry: true})
	if err != nil {
		return nil, numbers
	}
	var body bytes.Buffer
	for _, n := range numbers {
		fmt.Fprintf(&body, `{"create":{"_index":"logs-receivers-kills","_id":"%s-%s-%d"}}`+"\n%s\n", d.run, name, n, d.event(name, n))
	}
	res, err := es.Bulk(&body, es.Bulk.WithContext(ctx))
	if err != nil {
		return nil, numbers
	}
	defer res.Body.Close()
	results, err := esbulk.ReadResponse(res.Body, len(numbers))
	if err != nil || res.IsError() {
		return nil, numbers
	}
	for i, r := range results {
		if r.Status < 300 {
			done = append(done, numbers[i])
		} else {
			again = append(again, numbers[i])
		}
	}
	return done, again
}

// records returns events as OTLP log records.
func (d *elasticReceivers) records(name string, numbers []int) plogotlp.ExportRequest {
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, n := range numbers {
		r := records.AppendEmpty()
		r.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		r.Body().SetStr(fmt.Sprint("line ", n))
		r.Attributes().PutStr("run", d.run)
		r.Attributes().PutStr("sender", name)
		r.Attributes().PutInt("n", int64(n))
		r.Attributes().PutStr("log.record.uid", fmt.Sprint(d.run, name, n))
	}
	return plogotlp.NewExportRequestFromLogs(logs)
}

// overGRPC sends over a new connection, like a restarted client.
func (d *elasticReceivers) overGRPC(ctx context.Context, name string, numbers []int) (done, again []int) {
	conn, err := grpc.NewClient(d.otlp, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, numbers
	}
	defer conn.Close()
	answer, err := plogotlp.NewGRPCClient(conn).Export(ctx, d.records(name, numbers))
	if err != nil || answer.PartialSuccess().RejectedLogRecords() > 0 {
		return nil, numbers
	}
	return numbers, nil
}

func (d *elasticReceivers) overHTTP(ctx context.Context, name string, numbers []int) (done, again []int) {
	body, err := d.records(name, numbers).MarshalProto()
	if err != nil {
		return nil, numbers
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.otlpHTTP+"/v1/logs", bytes.NewReader(body))
	if err != nil {
		return nil, numbers
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, numbers
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	answer := plogotlp.NewExportResponse()
	if err != nil || res.StatusCode != http.StatusOK || answer.UnmarshalProto(text) != nil || answer.PartialSuccess().RejectedLogRecords() > 0 {
		return nil, numbers
	}
	return numbers, nil
}
