// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/template"
)

// IDs returns the ids of the services that a snapshot must contain.
func (l *Logs) IDs() []series.ID { return l.services.IDs() }

// AddService adds the counts of a service.
func (l *Logs) AddService(w *snapshot.Writer, id series.ID) error {
	s, _ := l.services.Peek(id)
	if s == nil {
		return nil
	}
	return w.Add(snapshot.TagLogs, s.persist)
}

// AddTemplates adds the templates, if there are logs. They come after the counts
// of services, so that a template that is counted is known.
func (l *Logs) AddTemplates(w *snapshot.Writer) error {
	if l.services.Len() == 0 {
		return nil
	}
	return w.Add(snapshot.TagMiner, l.persistMiner)
}

// Restore reads a record if its tag is one of the logs'. Otherwise it returns false.
func (l *Logs) Restore(tag byte, c *state.Codec) (bool, error) {
	switch tag {
	case snapshot.TagMiner:
		l.persistMiner(c)
		return true, nil
	case snapshot.TagLogs:
		return true, l.restoreService(c)
	}
	return false, nil
}

func (l *Logs) persistMiner(c *state.Codec) {
	l.novelty.State(c)
	c.Section(l.miner.State)
}

// Transient writes or reads the rest of a complete state. It must be read last.
func (l *Logs) Transient(c *state.Codec) {
	c.Int(&l.room)
	l.services.State(c)
}

func (l *Logs) restoreService(c *state.Codec) error {
	s := service{}
	s.persist(c)
	id := series.Text(s.name)
	if old, _ := l.services.Peek(id); !c.Ok() || old != nil {
		return state.Error
	}
	s.window.Resume(l.judge.Now())
	if s.Templates == nil {
		s.Templates = map[template.ID]*logTemplate{}
	}
	l.services.Add(id, 0, series.Size{Weight: 1}, l.judge.Now(), s)
	return nil
}

func (s *service) persist(c *state.Codec) {
	c.String(&s.name)
	s.window.Persist(c)
	c.Int(&s.Records)
	c.Int(&s.Errors)
	c.Int(&s.Empty)
	c.Check(s.Records >= 0 && s.Errors >= 0)
	s.Past.Persist(c)
	for i := range s.Fresh {
		c.Int(&s.Fresh[i])
	}
	state.List(c, &s.FreshIDs, 8, func(id *template.ID) { c.Uint64((*uint64)(id)) })
	s.Novelty.State(c)
	state.Map(c, &s.Templates, 8, func(id *template.ID) { c.Uint64((*uint64)(id)) }, func(known **logTemplate) {
		if c.Reading() {
			*known = &logTemplate{}
		}
		(*known).persist(c)
	})
	s.ErrorMark.Persist(c)
	if c.Complete() {
		c.Int(&s.params)
	}
}

func (known *logTemplate) persist(c *state.Codec) {
	c.Int(&known.Count)
	c.Int(&known.Windows)
	c.Int(&known.Empty)
	c.Int64(&known.First)
	c.Int64(&known.Last)
	known.Mark.Persist(c)
	state.List(c, &known.Params, 8, func(p *logParam) {
		c.Int(&p.Slot)
		p.Number.Values.Persist(c)
		c.Bits(&p.Number.Last)
		c.Int(&p.Number.Tried)
		c.Int(&p.Number.Falls)
		p.Mark.Persist(c)
	})
}

// Persist writes or reads a verdict.
func (v *Verdict) Persist(c *state.Codec, words *state.Words) {
	words.Text(c, &v.Template)
	words.Text(c, &v.ID)
	c.Bits(&v.Score)
	words.Text(c, &v.Reason)
	state.List(c, &v.Parameters, 9, func(p *Parameter) {
		words.Text(c, &p.Name)
		c.Bits(&p.Value)
	})
}
