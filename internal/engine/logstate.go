// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/template"
)

// addMinerRecord adds the templates, if there are logs. They come after the counts
// of services, so that a template that is counted is known.
func (e *Engine) addMinerRecord(w *snapshot.Writer) error {
	if e.logs.Len() == 0 {
		return nil
	}
	return w.Add(tagMiner, e.persistMiner)
}

func (e *Engine) persistMiner(c *state.Codec) {
	e.novelty.State(c)
	c.Part(e.miner)
}

func (e *Engine) addLogsRecord(w *snapshot.Writer, id series.ID) error {
	l, _ := e.logs.Peek(id)
	if l == nil {
		return nil
	}
	return w.Add(tagLogs, l.persist)
}

func (e *Engine) restoreLogs(c *state.Codec) error {
	l := logs{}
	l.persist(c)
	id := serviceID(l.service)
	if old, _ := e.logs.Peek(id); !c.Ok() || old != nil {
		return state.Error
	}
	l.window.Resume(e.now)
	if l.Templates == nil {
		l.Templates = map[template.ID]*logTemplate{}
	}
	e.logs.Add(id, 0, series.Size{Weight: 1}, e.now, l)
	return nil
}

func (l *logs) persist(c *state.Codec) {
	c.String(&l.service)
	l.window.Persist(c)
	c.Int(&l.Records)
	c.Int(&l.Errors)
	c.Int(&l.Empty)
	c.Check(l.Records >= 0 && l.Errors >= 0)
	l.Past.Persist(c)
	for i := range l.Fresh {
		c.Int(&l.Fresh[i])
	}
	state.List(c, &l.FreshIDs, 8, func(id *template.ID) { c.Uint64((*uint64)(id)) })
	l.Novelty.State(c)
	state.Map(c, &l.Templates, 8, func(id *template.ID) { c.Uint64((*uint64)(id)) }, func(known **logTemplate) {
		if c.Reading() {
			*known = &logTemplate{}
		}
		(*known).persist(c)
	})
	l.ErrorMark.persist(c)
}

func (known *logTemplate) persist(c *state.Codec) {
	c.Int(&known.Count)
	c.Int(&known.Windows)
	c.Int(&known.Empty)
	c.Int64(&known.First)
	c.Int64(&known.Last)
	known.Mark.persist(c)
	state.List(c, &known.Params, 8, func(p *logParam) {
		c.Int(&p.Slot)
		p.Number.Values.Persist(c)
		c.Bits(&p.Number.Last)
		c.Int(&p.Number.Tried)
		c.Int(&p.Number.Falls)
		p.Mark.persist(c)
	})
}

func (m *mark) persist(c *state.Codec) {
	c.Bits(&m.Score)
	c.String(&m.Reason)
}
