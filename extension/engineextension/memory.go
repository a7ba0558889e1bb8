// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/memory"
)

// memoryShare is the default share of the engine in the memory. The rest is for the collector,
// for requests, and for garbage that is not collected yet.
const memoryShare = 0.25

// Bytes is an amount of memory, written like 512MiB.
type Bytes int64

var units = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// UnmarshalText parses an amount with its unit.
func (b *Bytes) UnmarshalText(text []byte) error {
	for _, u := range units {
		if number, ok := strings.CutSuffix(string(text), u.name); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
			if err != nil || n < 0 || n > math.MaxInt64/u.bytes {
				break
			}
			*b = Bytes(n * u.bytes)
			return nil
		}
	}
	return fmt.Errorf("%q is not an amount of memory: write a number with a unit, as in 512MiB", text)
}

// MarshalText writes an amount in the largest unit that divides it.
func (b Bytes) MarshalText() ([]byte, error) {
	for _, u := range units {
		if int64(b)%u.bytes == 0 {
			return fmt.Appendf(nil, "%d%s", int64(b)/u.bytes, u.name), nil
		}
	}
	return nil, nil
}

// NotifyConfig takes the memory limit from the collector's configuration before telemetry
// arrives.
func (e *engineExtension) NotifyConfig(_ context.Context, conf *confmap.Conf) error {
	limit, from := int64(e.cfg.MaxMemory), "max_memory"
	if limit == 0 {
		var whole int64
		if whole, from = memory.Available(conf.ToStringMap(), e.root); whole == 0 {
			return nil
		}
		limit = int64(memoryShare * float64(whole))
	}
	e.engine.SetMaxMemory(int(limit))
	e.logger.Info("the memory of the engine is limited", zap.Int64("bytes", limit), zap.String("from", from))
	return nil
}

// reportRoom logs and reports a status when the table of series becomes full or has room again.
func (e *engineExtension) reportRoom() {
	if e.engine.Rejecting() == e.rejecting {
		return
	}
	e.rejecting = !e.rejecting
	if !e.rejecting {
		e.logger.Info("the engine accepts new series again")
		componentstatus.ReportStatus(e.host, componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	crowd := e.engine.Crowd()
	err := fmt.Errorf("the engine has reached max_memory or max_series and does not observe new series: raise the limit or drop attributes; "+
		"most series belong to the services %v and differ in the attributes %v", crowd.Services, crowd.Attributes)
	e.logger.Warn("the engine has reached max_memory or max_series and does not observe new series: raise the limit or drop attributes",
		zap.Any("services", crowd.Services), zap.Any("attributes", crowd.Attributes))
	componentstatus.ReportStatus(e.host, componentstatus.NewRecoverableErrorEvent(err))
}
