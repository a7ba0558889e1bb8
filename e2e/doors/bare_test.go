// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package doors

import (
	"path/filepath"
	"testing"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// bareDoors are a collector with every door and nothing behind them.
type bareDoors struct {
	*peertest.Collector
	otlp, lumberjack, bulk, remoteWrite string // addresses
}

// startBareDoors starts it, with a configuration of testdata over the first one, "" for none.
func startBareDoors(t *testing.T, over string) *bareDoors {
	t.Helper()
	free := peertest.FreeAddresses(t, 3)
	o := peertest.CollectorOptions{Env: []string{"LUMBERJACK=" + free[0], "BULK=" + free[1], "REMOTE_WRITE=" + free[2]}}
	if over == "" {
		o.Config = doorConfig(t, "bare.yaml")
	} else {
		o.Base = filepath.Join(peertest.Root(t), "e2e", "doors", "testdata", "bare.yaml")
		o.Config = doorConfig(t, over)
	}
	c := peertest.StartCollector(t, o)
	return &bareDoors{c, c.OTLP2, free[0], free[1], free[2]}
}
