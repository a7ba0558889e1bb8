// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"path/filepath"
	"testing"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// bareReceivers is a collector with every receiver and exporters that discard the data.
type bareReceivers struct {
	*peertest.Collector
	otlp, lumberjack, bulk, remoteWrite string // addresses
}

// startBareReceivers starts the collector. The configuration over in testdata overrides the first one, "" for none.
func startBareReceivers(t *testing.T, over string) *bareReceivers {
	t.Helper()
	free := peertest.FreeAddresses(t, 3)
	o := peertest.CollectorOptions{Env: []string{"LUMBERJACK=" + free[0], "BULK=" + free[1], "REMOTE_WRITE=" + free[2]}}
	if over == "" {
		o.Config = receiverConfig(t, "bare.yaml")
	} else {
		o.Base = filepath.Join(peertest.Root(t), "e2e", "receivers", "testdata", "bare.yaml")
		o.Config = receiverConfig(t, over)
	}
	c := peertest.StartCollector(t, o)
	return &bareReceivers{c, c.OTLP2, free[0], free[1], free[2]}
}
