// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	lj "github.com/auspex-otel/auspex/internal/wire/lumberjack/lumberjacktest"
)

// request returns an HTTP request in its wire format.
func request(path, headers string, body []byte) []byte {
	return append(fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: receiver\r\nConnection: close\r\nContent-Length: %d\r\n%s\r\n", path, len(body), headers), body...)
}

// begun returns a request whose Content-Length exceeds its body.
func begun(path, headers, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: receiver\r\nContent-Length: 5000\r\n%s\r\n%s", path, headers, body)
}

// unread returns many requests in sequence.
func unread(path, headers string, body []byte) []byte {
	return bytes.Repeat(append(fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: receiver\r\nContent-Length: %d\r\n%s\r\n", path, len(body), headers), body...), 500)
}

func gzipped(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// series returns a request of remote write 1.0. Each element of labels is one series with one sample.
func series(t *testing.T, labels ...[]string) []byte {
	t.Helper()
	var req prompb.WriteRequest
	for _, l := range labels {
		ts := prompb.TimeSeries{Samples: []prompb.Sample{{Value: 1, Timestamp: time.Now().UnixMilli()}}}
		for i := 0; i+1 < len(l); i += 2 {
			ts.Labels = append(ts.Labels, prompb.Label{Name: l[i], Value: l[i+1]})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	b, err := req.Marshal()
	require.NoError(t, err)
	return b
}

// badInputs returns the inputs for all receivers.
func (d *bareReceivers) badInputs(t *testing.T) []badInput {
	t.Helper()
	all := append(otlpInputs(t), lumberjackInputs()...)
	return append(append(all, bulkInputs(t)...), writeInputs(t)...)
}

const (
	asProto  = "Content-Type: application/x-protobuf\r\n"
	asJSON   = "Content-Type: application/json\r\n"
	asLines  = "Content-Type: application/x-ndjson\r\n"
	asSnappy = asProto + "Content-Encoding: snappy\r\n"
	inGzip   = "Content-Encoding: gzip\r\n"
)

// otlpInputs returns the inputs for the receiver of the collector's core. It counts none of them, and accepts values
// of any depth and texts that are not UTF-8.
func otlpInputs(t *testing.T) []badInput {
	t.Helper()
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("a line")
	proto, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	deep := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` + strings.Repeat(`{"arrayValue":{"values":[`, 2000) + strings.Repeat(`]}}`, 2000) + `}]}]}]}`
	return []badInput{
		{receiver: "OTLP", what: "truncated message", sends: request("/v1/logs", asProto, proto[:len(proto)-3]), gets: "400"},
		{receiver: "OTLP", what: "oversized message", sends: request("/v1/logs", asProto, make([]byte, 150_000)), gets: "413"},
		{receiver: "OTLP", what: "zip bomb", sends: request("/v1/logs", asProto+inGzip, gzipped(t, make([]byte, 50_000_000))), gets: "413"},
		{receiver: "OTLP", what: "length too long, then gone", sends: begun("/v1/logs", asProto, "ab"), hangsUp: true, gets: "503"},
		{receiver: "OTLP", what: "JSON nested 4,000 deep", sends: request("/v1/logs", asJSON, []byte(deep)), gets: "200"},
		{receiver: "OTLP", what: "invalid UTF-8", sends: request("/v1/logs", asProto, bytes.Replace(proto, []byte("line"), []byte("\xff\xfe\xff\xfe"), 1)), gets: "200"},
		{receiver: "OTLP", what: "slow-loris in the body", sends: begun("/v1/logs", asProto, "ab"), dribbles: true, gets: "503"},
		{receiver: "OTLP", what: "slow-loris in the header", sends: []byte("POST /v1/logs HTTP/1.1\r\nHo"), dribbles: true, gets: "400"},
		{receiver: "OTLP", what: "answers never read", sends: unread("/v1/logs", asJSON, []byte(`{"resourceLogs":[]}`)), unread: true, gets: "closed"},
	}
}

func lumberjackInputs() []badInput {
	const line = `{"message":"a line"}`
	deep := `{"a":` + strings.Repeat("[", 4000) + strings.Repeat("]", 4000) + `}`
	frames := bytes.Repeat(lj.JSON('2', 1, `{"message":"`+strings.Repeat("0", 9000)+`"}`), 90)
	return []badInput{
		{receiver: "lumberjack", what: "truncated frame", sends: lj.Batch(line)[:17], hangsUp: true, gets: "no acknowledgement, closed", counts: "lumberjack_errors truncated"},
		{receiver: "lumberjack", what: "oversized window", sends: lj.Window('2', 0xffffffff), gets: "no acknowledgement, closed", counts: "lumberjack_errors window"},
		{receiver: "lumberjack", what: "event of 4 GiB", sends: lj.Join(lj.Window('2', 1), []byte("2J\x00\x00\x00\x01\xff\xff\xff\xff{")), gets: "no acknowledgement, closed", counts: "lumberjack_errors event_size"},
		{receiver: "lumberjack", what: "zip bomb", sends: lj.Join(lj.Window('2', 90), lj.Compressed('2', frames)), gets: "no acknowledgement, closed", counts: "lumberjack_errors decompressed"},
		{receiver: "lumberjack", what: "length too long", sends: lj.Join(lj.Window('2', 1), []byte("2J\x00\x00\x00\x01\x00\x00\x00\x09{}")), gets: "no acknowledgement, closed", counts: "lumberjack_errors stalled"},
		{receiver: "lumberjack", what: "length too short", sends: lj.Join(lj.Window('2', 2), []byte("2J\x00\x00\x00\x01\x00\x00\x00\x01{}")), gets: "no acknowledgement, closed", counts: "lumberjack_errors version"},
		{receiver: "lumberjack", what: "JSON nested 4,000 deep", sends: lj.Batch(line, deep), gets: "acknowledgement of 2"},
		{receiver: "lumberjack", what: "invalid UTF-8", sends: lj.Batch(line, "{\"message\":\"\xff\xfe\"}"), gets: "acknowledgement of 2"},
		{receiver: "lumberjack", what: "a bad event among good ones", sends: lj.Batch(line, `{"message":`, line), gets: "acknowledgement of 3", counts: "lumberjack_dead_letters not_json +1"},
		{receiver: "lumberjack", what: "slow-loris", sends: lj.Join(lj.Window('2', 1), []byte("2J\x00\x00\x00\x01\x00\x00\x10\x00")), dribbles: true, gets: "no acknowledgement, closed", counts: "lumberjack_errors stalled"},
		{receiver: "lumberjack", what: "acknowledgements never read", sends: bytes.Repeat(lj.Batch("{}"), 200), unread: true, gets: "closed", counts: "lumberjack_errors ack"},
	}
}

func bulkInputs(t *testing.T) []badInput {
	t.Helper()
	const action, line = `{"create":{"_index":"i"}}` + "\n", `{"message":"a line"}` + "\n"
	among := func(document string) []byte {
		return request("/_bulk", asLines, []byte(action+line+action+document+"\n"+action+line))
	}
	whole := gzipped(t, []byte(action+line))
	long := `{"message":"` + strings.Repeat("x", 2200) + `"}` + "\n"
	return []badInput{
		{receiver: "_bulk", what: "no end of line", sends: request("/_bulk", asLines, []byte(action+`{"a":1}`)), gets: "400", counts: "elasticsearch_bulk_errors truncated"},
		{receiver: "_bulk", what: "truncated gzip", sends: request("/_bulk", asLines+inGzip, whole[:len(whole)-10]), gets: "400", counts: "elasticsearch_bulk_errors read"},
		{receiver: "_bulk", what: "oversized request", sends: request("/_bulk", asLines, bytes.Repeat([]byte(action+long), 5000)), gets: "413", counts: "elasticsearch_bulk_errors body_size"},
		{receiver: "_bulk", what: "oversized event among good ones", sends: among(`{"a":"` + strings.Repeat("x", 20_000) + `"}`), gets: "201 400 201", counts: "elasticsearch_bulk_refused_items event_size +1"},
		{receiver: "_bulk", what: "zip bomb", sends: request("/_bulk", asLines+inGzip, gzipped(t, bytes.Repeat([]byte(action+long), 20_000))), gets: "413", counts: "elasticsearch_bulk_errors body_size"},
		{receiver: "_bulk", what: "length too long, then gone", sends: begun("/_bulk", asLines, action), hangsUp: true, gets: "400", counts: "elasticsearch_bulk_errors read"},
		{receiver: "_bulk", what: "JSON nested 4,000 deep among good ones", sends: among(`{"a":` + strings.Repeat("[", 4000) + strings.Repeat("]", 4000) + `}`), gets: "201 400 201", counts: "elasticsearch_bulk_refused_items depth +1"},
		{receiver: "_bulk", what: "invalid UTF-8 among good ones", sends: among("{\"a\":\"\xff\xfe\"}"), gets: "201 400 201", counts: "elasticsearch_bulk_refused_items utf8 +1"},
		{receiver: "_bulk", what: "a bad event among good ones", sends: among(`{"message":`), gets: "201 400 201", counts: "elasticsearch_bulk_refused_items not_json +1"},
		{receiver: "_bulk", what: "slow-loris in the body", sends: begun("/_bulk", asLines, action), dribbles: true, gets: "408", counts: "elasticsearch_bulk_errors stalled"},
		{receiver: "_bulk", what: "slow-loris in the header", sends: []byte("POST /_bulk HTTP/1.1\r\nHo"), dribbles: true, gets: "400"},
		{receiver: "_bulk", what: "answers never read", sends: unread("/_bulk", asLines, []byte(action+"{}\n")), unread: true, gets: "closed", counts: "elasticsearch_bulk_errors answer"},
	}
}

func writeInputs(t *testing.T) []badInput {
	t.Helper()
	good := []string{"__name__", "good", "job", "j"}
	write := func(plain []byte) []byte { return request("/api/v1/write", asSnappy, snappy.Encode(nil, plain)) }
	return []badInput{
		{receiver: "remote write", what: "truncated snappy", sends: request("/api/v1/write", asSnappy, snappy.Encode(nil, series(t, good))[:20]), gets: "400", counts: "prometheus_remote_write_errors snappy"},
		{receiver: "remote write", what: "truncated message", sends: write(series(t, good)[:12]), gets: "400", counts: "prometheus_remote_write_errors malformed"},
		{receiver: "remote write", what: "oversized request", sends: request("/api/v1/write", asSnappy, make([]byte, 150_000)), gets: "400", counts: "prometheus_remote_write_errors body_size"},
		{receiver: "remote write", what: "zip bomb", sends: write(make([]byte, 1_000_000)), gets: "400", counts: "prometheus_remote_write_errors decompressed"},
		{receiver: "remote write", what: "snappy that claims 4 GiB", sends: request("/api/v1/write", asSnappy, []byte("\xff\xff\xff\xff\x0f\x00x")), gets: "400", counts: "prometheus_remote_write_errors decompressed"},
		{receiver: "remote write", what: "a length of 4 GiB", sends: write([]byte("\x0a\xff\xff\xff\xff\x0f")), gets: "400", counts: "prometheus_remote_write_errors malformed"},
		{receiver: "remote write", what: "length too long, then gone", sends: begun("/api/v1/write", asSnappy, "ab"), hangsUp: true, gets: "400", counts: "prometheus_remote_write_errors truncated"},
		{receiver: "remote write", what: "invalid UTF-8 beside a good series", sends: write(series(t, []string{"__name__", "x", "a", "\xff"}, good)), gets: "400 written 1", counts: "prometheus_remote_write_refused_points utf8 +1"},
		{receiver: "remote write", what: "labels out of order", sends: write(series(t, []string{"job", "j", "__name__", "x", "a", "1"}, good)), gets: "204 written 2"},
		{receiver: "remote write", what: "a label twice beside a good series", sends: write(series(t, []string{"__name__", "x", "a", "1", "a", "2"}, good)), gets: "400 written 1", counts: "prometheus_remote_write_refused_points duplicate_label +1"},
		{receiver: "remote write", what: "slow-loris in the body", sends: begun("/api/v1/write", asSnappy, "ab"), dribbles: true, gets: "408", counts: "prometheus_remote_write_errors stalled"},
		{receiver: "remote write", what: "slow-loris in the header", sends: []byte("POST /api/v1/write HTTP/1.1\r\nHo"), dribbles: true, gets: "400"},
		{receiver: "remote write", what: "answers never read", sends: unread("/api/v1/write", asSnappy, snappy.Encode(nil, series(t, good))), unread: true, gets: "closed"},
	}
}

// goodClients send valid requests to each receiver. They return an error if the response takes more than 2 s.
func (d *bareReceivers) goodClients(t *testing.T) map[string]func() error {
	t.Helper()
	body := snappy.Encode(nil, series(t, []string{"__name__", "good"}))
	timely := func(send func() error) func() error {
		return func() error {
			began := time.Now()
			if err := send(); err != nil {
				return err
			}
			if took := time.Since(began); took > 2*time.Second {
				return fmt.Errorf("it took %v", took)
			}
			return nil
		}
	}
	return map[string]func() error{
		"OTLP":         timely(post("http://"+d.otlp+"/v1/logs", "application/json", "", []byte(`{"resourceLogs":[]}`))),
		"lumberjack":   timely(d.oneEvent),
		"_bulk":        timely(post("http://"+d.bulk+"/_bulk", "application/x-ndjson", "", []byte("{\"create\":{\"_index\":\"i\"}}\n{\"a\":1}\n"))),
		"remote write": timely(post("http://"+d.remoteWrite+"/api/v1/write", "application/x-protobuf", "snappy", body)),
	}
}

// oneEvent sends an event to the Lumberjack receiver.
func (d *bareReceivers) oneEvent() error {
	ctx, cancel := context.WithTimeout(context.Background(), badWait)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.lumberjack)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(lj.Batch(`{"message":"good"}`)); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(badWait)); err != nil {
		return err
	}
	if got := acksOf(conn); !strings.HasPrefix(got, "acknowledgement of 1") {
		return errors.New(got)
	}
	return nil
}
