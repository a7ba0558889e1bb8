// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/auspex-otel/auspex/internal/template"
)

// packLogs adds the records of what is known of logs, if anything is.
func (e *Engine) packLogs(p *packer) error {
	services := maps.Collect(e.logs.All())
	if len(services) == 0 {
		return nil
	}
	w := writer{b: p.record[:0]}
	w.state(e.novelty.State)
	miner, err := e.miner.AppendBinary(nil)
	if err != nil {
		return err
	}
	w.text(string(miner))
	p.add(tagMiner, w.b)
	for _, id := range slices.Sorted(maps.Keys(services)) {
		l := services[id]
		text, err := json.Marshal(l)
		if err != nil {
			return err
		}
		w := writer{b: p.record[:0]}
		w.text(l.service)
		w.state(l.Novelty.State)
		w.text(string(text))
		p.add(tagLogs, w.b)
	}
	return nil
}

func (e *Engine) restoreMiner(record []byte) error {
	r := reader{b: record}
	r.state(e.novelty.State)
	if b := r.bytes(); r.err == nil {
		r.fail(e.miner.UnmarshalBinary(b))
	}
	if err := r.end(); err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	return nil
}

func (e *Engine) restoreLogs(record []byte) error {
	r := reader{b: record}
	l := logs{service: r.text()}
	l.touched = e.now
	r.state(l.Novelty.State)
	if text := r.bytes(); r.err == nil {
		r.fail(json.Unmarshal(text, &l))
	}
	if l.End < 0 || l.Records < 0 || l.Errors < 0 || hasNil(l.Templates) {
		r.fail(errNotWhole)
	}
	if err := r.end(); err != nil {
		return fmt.Errorf("logs of %s: %w", l.service, err)
	}
	if l.Templates == nil {
		l.Templates = map[template.ID]*logTemplate{}
	}
	id := serviceID(l.service)
	if old, _ := e.logs.Peek(id); old != nil {
		return fmt.Errorf("logs of %s are there twice: %w", l.service, errNotWhole)
	}
	e.logs.Add(id, 1, e.now, l)
	return nil
}
