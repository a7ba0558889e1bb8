// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/e2e/clients"
	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	hostileLimitMiB = 512
	// hostileClients is the number of clients that send the same hostile request, each with hostilePause in between.
	// The pause leaves processor time to the well-behaved client.
	hostileClients = 4
	hostilePause   = 500 * time.Millisecond
	// burstClients is the number of clients of the burst that sends without pauses to test memory.
	burstClients = 24
	// unfinishedClients is the number of clients that begin a request and never complete it.
	unfinishedClients = 100
	quietTime         = 3 * time.Second
	hostileTime       = 5 * time.Second
	burstTime         = 2 * time.Second
	// politePause is the pause between two requests of the well-behaved client.
	politePause = 10 * time.Millisecond
	// politeRecords is the number of records in a request of that client.
	politeRecords = 20
	memoryShare   = 1.2
	// tries is the maximum number of measurements. Other work on the machine can only increase the times, so one
	// success is enough.
	tries = 3
	// oneMiB is the maximum memory of one request, in MiB.
	oneMiB = 100
)

// hostileRow is a row of the table of TestHostileRequests.
type hostileRow struct {
	receiver, request string
	idle, one, peak   int // MiB: before, maximum for one hostile request, and maximum at the end
	quiet, loaded     time.Duration
	answers           map[string]int // to the hostile request
}

func (r hostileRow) slower() float64 {
	return clients.Slower(r.quiet, r.loaded)
}

// TestHostileRequests sends each request of testdata/hostile to each of its receivers, from several clients, while
// one well-behaved client works. The p99 of that client must stay below ten times its value without hostile load. One
// request may take at most 100 MiB. After a burst of the same request, the memory of the collector must be below 1.2
// times its limit, and the client must be served.
func TestHostileRequests(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several minutes")
	}
	var rows []hostileRow
	for _, h := range clients.HostileRequests(t) {
		for _, receiver := range h.Receivers {
			t.Run(receiver+"/"+h.Name, func(t *testing.T) {
				row := withHostileLoad(t, receiver, h)
				rows = append(rows, row)
				assert.LessOrEqual(t, row.one, oneMiB, "MiB for one request")
				assert.Less(t, float64(row.peak), memoryShare*hostileLimitMiB, "MiB")
				assert.LessOrEqual(t, row.slower(), float64(clients.MostSlower), "p99 %v without hostile load, %v with it", row.quiet, row.loaded)
			})
		}
	}
	t.Logf("limit %d MiB\n%s", hostileLimitMiB, hostileTable(rows))
}

func hostileTable(rows []hostileRow) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "receiver\t| hostile request\t| idle MiB\t| one adds\t| peak MiB\t| p99 without\t| p99 with\t| ratio\t| answers to the hostile request")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t| %s\t| %d\t| %d\t| %d\t| %.1f ms\t| %.1f ms\t| %.1f\t| %v\n",
			r.receiver, r.request, r.idle, r.one, r.peak, milliseconds(r.quiet), milliseconds(r.loaded), r.slower(), r.answers)
	}
	_ = w.Flush()
	return b.String()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// withHostileLoad measures one collector without and with a hostile request.
func withHostileLoad(t *testing.T, receiver string, h clients.Hostile) hostileRow {
	t.Helper()
	address := peertest.FreeAddresses(t, 3)
	c := peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:default", Config: config(t, "hostile.yaml"), Env: peertest.Shipped(t,
		fmt.Sprintf("AUSPEX_MEMORY=%d", hostileLimitMiB), "LUMBERJACK="+address[0], "BULK="+address[1], "REMOTE_WRITE="+address[2])})
	at := map[string]string{
		"otlp/grpc": c.OTLP, "otlp/http": c.OTLP2, "lumberjack": address[0], "elasticsearch_bulk": address[1], "prometheus_remote_write": address[2],
	}[receiver]
	peak := func() int {
		bytes, err := c.PeakMemory()
		require.NoError(t, err)
		return bytes >> 20
	}
	row := hostileRow{receiver: receiver, request: h.Name}
	send := politeClient(t, receiver, at)
	row.quiet = p99(t, send, quietTime)
	row.idle = peak()
	once, cancel := context.WithTimeout(t.Context(), burstTime)
	defer cancel()
	h.Client(t, receiver, at)(once)
	row.one = peak() - row.idle
	senders, burst, pause := hostileClients, burstClients, hostilePause
	if h.Unfinished {
		senders, burst, pause = unfinishedClients, unfinishedClients, hostileTime
	}
	for try := range tries {
		if try > 0 {
			row.quiet = p99(t, send, quietTime)
		}
		stop := h.Flood(t.Context(), t, receiver, at, senders, pause)
		row.loaded = p99(t, send, hostileTime)
		if row.answers = stop(); row.slower() <= clients.MostSlower {
			break
		}
	}
	stop := h.Flood(t.Context(), t, receiver, at, burst, 0)
	time.Sleep(burstTime)
	for answer, n := range stop() {
		row.answers[answer] += n
	}
	row.peak = peak()
	peertest.Eventually(t, hostileTime, "the well-behaved client is served after the burst", send)
	return row
}

// p99 sends for the given time and returns the 99th percentile of the latency of acknowledgements.
func p99(t *testing.T, send func() error, during time.Duration) time.Duration {
	t.Helper()
	var times []time.Duration
	for begin := time.Now(); time.Since(begin) < during; time.Sleep(politePause) {
		sent := time.Now()
		for send() != nil {
			require.Less(t, time.Since(sent), during, "the well-behaved client is not served")
			time.Sleep(politePause)
		}
		times = append(times, time.Since(sent))
	}
	return clients.P99(times)
}

// politeClient returns a function that sends one small request and waits until it is acknowledged.
func politeClient(t *testing.T, receiver, at string) (send func() error) {
	t.Helper()
	client := clients.New(t, receiver, at)
	return func() error {
		b := clients.Batch{Service: "shop", Metric: "orders"}
		for i := range politeRecords {
			if receiver == "prometheus_remote_write" {
				b.Points = append(b.Points, clients.Point{Time: time.Now(), Labels: map[string]string{"n": strconv.Itoa(i)}})
			} else {
				b.Logs = append(b.Logs, clients.Log{Time: time.Now(), Text: fmt.Sprintf("order %d was placed by a customer", i)})
			}
		}
		return client(context.Background(), b)
	}
}
