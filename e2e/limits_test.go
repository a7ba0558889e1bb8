// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	// acceptedBytes is the maximum request size that a shipped configuration accepts.
	acceptedBytes = 8 << 20
	smallRecords  = 1000
	largeRecord   = 5 << 20
)

// TestSizeLimitsBetweenConfigs covers each shipped configuration that sends OTLP with each that receives it. It sends
// a request at the limit, and a record above the limit of the next hop among 1,000 small ones. It verifies that each
// acknowledged record arrives behind the next hop or is a dead letter.
func TestSizeLimitsBetweenConfigs(t *testing.T) {
	next := []string{"agent", "default", "gateway", "gateway-tail-sampling", "load-balancer"}
	first := []string{"agent", "gateway-tail-sampling", "load-balancer"}
	if testing.Short() {
		next, first = []string{"gateway"}, []string{"agent", "load-balancer"}
	}
	table := []string{"from -> to: sent, acknowledged, found behind the next hop, dead letters"}
	for _, to := range next {
		for _, from := range first {
			t.Run(from+" to "+to, func(t *testing.T) {
				b := peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:" + to, Env: peertest.Shipped(t, toward("127.0.0.1:1")...)})
				a := peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:" + from, Env: peertest.Shipped(t, toward(b.OTLP)...)})
				var sent, acknowledged, found, letters int
				defer func() {
					table = append(table, fmt.Sprintf("%s -> %s: %d, %d, %d, %d", from, to, sent, acknowledged, found, letters))
				}()
				for _, ld := range []plog.Logs{recordsAtTheLimit(t), largeAmongSmall()} {
					sent += ld.LogRecordCount()
					if assert.Equal(t, http.StatusOK, postLogs(t, a.OTLP2, ld)) {
						acknowledged += ld.LogRecordCount()
					}
				}
				peertest.Eventually(t, time.Minute, "all records", func() error {
					found, letters = acceptedRecords(t, b), lettersOf(t, a)
					if found != sent-1 || letters != 1 {
						return fmt.Errorf("%d of %d records arrived, and %d of 1 is a dead letter", found, sent-1, letters)
					}
					return nil
				})
			})
		}
	}
	t.Log(strings.Join(table, "\n"))
}

// toward returns the environment with which each shipped configuration sends to an address.
func toward(address string) []string {
	return []string{
		"AUSPEX_GATEWAY=" + address, "AUSPEX_GATEWAY_INSECURE=true", "AUSPEX_BACKEND=" + address, "AUSPEX_BACKEND_INSECURE=true",
		"AUSPEX_GATEWAYS=[" + address + "]", "AUSPEX_GATEWAYS_INSECURE=true", "AUSPEX_REMOTE_WRITE=http://127.0.0.1:1/api/v1/write",
	}
}

// batchOfRecords returns a batch of n records. The text of the last one has the given additional length.
func batchOfRecords(n, last int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		lr := records.AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		lr.Body().SetStr(fmt.Sprintf("order %d was placed by a customer %s", i, strings.Repeat("x", 250)))
	}
	body := records.At(n - 1).Body()
	body.SetStr(body.Str() + strings.Repeat(" x", last/2))
	return ld
}

func largeAmongSmall() plog.Logs { return batchOfRecords(smallRecords+1, largeRecord) }

// recordsAtTheLimit returns a request of exactly acceptedBytes.
func recordsAtTheLimit(t *testing.T) plog.Logs {
	t.Helper()
	size := func(ld plog.Logs) int { return new(plog.ProtoMarshaler).LogsSize(ld) }
	ld := batchOfRecords(25_000, 100)
	require.Less(t, size(ld), acceptedBytes)
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	last := records.At(records.Len() - 1).Body()
	text := last.Str()
	for missing := acceptedBytes - size(ld); missing > 0; missing = acceptedBytes - size(ld) {
		text += strings.Repeat("x", max(1, missing-8))
		last.SetStr(text)
	}
	require.Equal(t, acceptedBytes, size(ld))
	return ld
}

func postLogs(t *testing.T, address string, ld plog.Logs) (status int) {
	t.Helper()
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(t, err)
	res, err := http.Post("http://"+address+"/v1/logs", "application/x-protobuf", bytes.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// acceptedRecords returns the number of log records that a collector's OTLP receiver has accepted.
func acceptedRecords(t *testing.T, c *peertest.Collector) (n int) {
	t.Helper()
	res, err := http.Get("http://" + c.Metrics + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	for s := bufio.NewScanner(res.Body); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), "} ")
		if strings.HasPrefix(name, "otelcol_receiver_accepted_log_records") && strings.Contains(name, `receiver="otlp"`) {
			v, err := strconv.ParseFloat(value, 64)
			require.NoError(t, err)
			n += int(v)
		}
	}
	return n
}

// lettersOf returns the number of records in the dead letters of a collector.
func lettersOf(t *testing.T, c *peertest.Collector) (n int) {
	t.Helper()
	_, err := deadletter.Read(filepath.Join(c.State, "dead_letter"), func(l deadletter.Letter) error { n += l.Items; return nil })
	require.NoError(t, err)
	return n
}
