// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"testing"

	"github.com/auspex-otel/auspex/internal/golden"
	"github.com/auspex-otel/auspex/internal/peertest"
)

func TestCorpora(t *testing.T) {
	for name, generate := range map[string]func() string{
		"csv/checkout_latency.csv":     latency,
		"csv/truth.json":               truth,
		"logs/shop.log":                shopLog,
		"otlp/recording/traces.jsonl":  func() string { return lines(record().spans) },
		"otlp/recording/logs.jsonl":    func() string { return lines(record().logs) },
		"otlp/recording/metrics.jsonl": func() string { return lines(record().metrics) },
		"otlp/asks.json":               asks,
	} {
		golden.Files(t, peertest.TestData(t, name), func(*testing.T, string) string { return generate() })
	}
}
