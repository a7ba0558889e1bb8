// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// start is the first timestamp of every corpus.
var start = time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)

const (
	latencyStep = 5 * time.Minute
	latencyRows = 4 * 288
	// The latency triples for one hour on the fourth day.
	slowFrom, slowTo = 3*24*time.Hour + 10*time.Hour, 3*24*time.Hour + 11*time.Hour
)

// latency returns the 95th percentile of the latency of a service in milliseconds: a daily wave,
// noise, and one fault.
func latency() string {
	random := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	b.WriteString("timestamp,value\n")
	for i := range latencyRows {
		at := time.Duration(i) * latencyStep
		v := 120 + 30*math.Sin(2*math.Pi*at.Hours()/24) + 4*random.NormFloat64()
		if at >= slowFrom && at < slowTo {
			v *= 3
		}
		fmt.Fprintf(&b, "%s,%.1f\n", start.Add(at).Format(time.DateTime), v)
	}
	return b.String()
}

// truth returns the time range of the fault in latency.
func truth() string {
	at := func(d time.Duration) string { return start.Add(d).Format(time.DateTime) }
	return fmt.Sprintf("{\"checkout_latency.csv\": [[%q, %q]]}\n", at(slowFrom), at(slowTo-latencyStep))
}

// shopLog returns the log lines of three services, each with its own format, and the first line
// of a stack trace.
func shopLog() string {
	random := rand.New(rand.NewPCG(2, 2))
	var b strings.Builder
	at := start
	for i := range 400 {
		at = at.Add(time.Duration(random.IntN(3000)) * time.Millisecond)
		var line string
		switch n := random.IntN(20); {
		case i == 300:
			line = "ERROR payment gateway refused card of order 4711: java.net.ConnectException: Connection refused"
		case n < 9:
			line = fmt.Sprintf("INFO GET /product/%d 200 %d ms", random.IntN(900), 5+random.IntN(40))
		case n < 14:
			line = fmt.Sprintf("INFO cart %08x: added item %d", random.Uint32(), random.IntN(900))
		case n < 18:
			line = fmt.Sprintf("INFO order %d placed, %d items, %d.%02d EUR", 1000+i, 1+random.IntN(5), random.IntN(200), random.IntN(100))
		default:
			line = fmt.Sprintf("WARN connection pool %d%% full", 80+random.IntN(20))
		}
		b.WriteString(at.Format("2006-01-02T15:04:05.000Z") + " " + line + "\n")
	}
	return b.String()
}
