// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"slices"
)

// fault is a fault that was injected into a system.
type fault struct {
	InjectedAt string `json:"injected_at"`
	Type       string `json:"type"`
	Service    string `json:"service"`
}

// prediction holds the suspects for one time.
type prediction struct {
	InjectedAt string   `json:"injected_at"`
	Suspects   []string `json:"suspects"`
}

func readFaults(path string) (list []fault, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return list, json.Unmarshal(b, &list)
}

func readPredictions(path string) (list []prediction, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var p prediction
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, lines.Err()
}

// ranks holds the rank of the culprit of each fault.
type ranks struct {
	kind string
	list []int // 1 is first, 0 not named
}

// within returns the share of faults whose culprit is among the first k.
func (r *ranks) within(k int) float64 {
	n := 0
	for _, rank := range r.list {
		if rank >= 1 && rank <= k {
			n++
		}
	}
	return float64(n) / float64(max(1, len(r.list)))
}

// score returns the ranks by type of fault. The first element has all.
func score(faults []fault, predictions []prediction) []*ranks {
	named := map[string][]string{}
	for _, p := range predictions {
		named[p.InjectedAt] = p.Suspects
	}
	all := &ranks{kind: "all"}
	list := []*ranks{all}
	for _, f := range faults {
		rank := slices.Index(named[f.InjectedAt], f.Service) + 1
		i := slices.IndexFunc(list, func(r *ranks) bool { return r.kind == f.Type })
		if i < 0 {
			i = len(list)
			list = append(list, &ranks{kind: f.Type})
		}
		list[i].list = append(list[i].list, rank)
		all.list = append(all.list, rank)
	}
	slices.SortStableFunc(list[1:], func(a, b *ranks) int { return bytes.Compare([]byte(a.kind), []byte(b.kind)) })
	return list
}
