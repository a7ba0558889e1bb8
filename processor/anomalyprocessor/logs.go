// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package anomalyprocessor

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

type logsProcessor struct {
	base
	cfg  *Config
	next consumer.Logs
}

func newLogsProcessor(set processor.Settings, cfg *Config, next consumer.Logs) (*logsProcessor, error) {
	b, err := newBase(set, "logs")
	if err != nil {
		return nil, err
	}
	return &logsProcessor{base: b, cfg: cfg, next: next}, nil
}

// ConsumeLogs adds the template and the anomalies of every record to the record, and returns the
// result of the next consumer.
func (p *logsProcessor) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	p.judge(ctx, ld)
	return p.next.ConsumeLogs(ctx, ld)
}

func (p *logsProcessor) judge(ctx context.Context, ld plog.Logs) {
	defer p.guard(ctx)
	verdicts := p.engine.ObserveLogs(ld, p.cfg.Logs.Parameters)
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				mark(lr.Attributes(), &verdicts[0])
				verdicts = verdicts[1:]
			}
		}
	}
	p.tap.Logs(ld)
}

// mark writes a verdict to the attributes of a record. Attributes of a preceding collector are
// kept.
func mark(attributes pcommon.Map, v *engine.LogVerdict) {
	if v.Template == "" {
		return
	}
	if _, there := attributes.Get(vocabulary.AttrTemplate); !there {
		attributes.PutStr(vocabulary.AttrTemplate, v.Template)
		attributes.PutStr(vocabulary.AttrTemplateID, v.ID)
		if v.Parameters != nil {
			list := attributes.PutEmptySlice(vocabulary.AttrParameters)
			for _, n := range v.Parameters {
				list.AppendEmpty().SetDouble(n.Value)
				if n.Name != "" {
					attributes.PutDouble(vocabulary.AttrParameterPrefix+n.Name, n.Value)
				}
			}
		}
	}
	markScore(attributes, v.Score, v.Reason)
}
