// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"cmp"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// maxOpen and maxClosed bound the incidents on the stream.
	maxOpen, maxClosed = 100, 30
)

// incidentView is an incident with the sentence that states it, and one for each of its anomalies and changes.
type incidentView struct {
	incident.Incident
	Sentence string `json:"sentence"`
	// Findings are sentences by the id of an anomaly, Deeds those of a suspect's changes by its name.
	Findings map[string]string   `json:"findings"`
	Deeds    map[string][]string `json:"changes"`
	// Lines are log lines by the id of the anomaly that is about them.
	Lines map[string]line `json:"lines"`
}

// line is a template of log records, with an example if one is kept.
type line struct {
	Template string `json:"template"`
	Example  string `json:"example,omitempty"`
}

func viewOf(i incident.Incident) incidentView {
	v := incidentView{Incident: i, Sentence: vocabulary.Account(&i, time.UTC), Findings: map[string]string{}, Deeds: map[string][]string{}, Lines: map[string]line{}}
	note := func(a *incident.Anomaly) {
		if a.ID != "" {
			v.Findings[a.ID] = vocabulary.Finding(a)
		}
	}
	for n := range i.Anomalies {
		note(&i.Anomalies[n])
		if of := i.Anomalies[n].Attributes; of[vocabulary.AttrTemplate] != "" {
			v.Lines[i.Anomalies[n].ID] = line{of[vocabulary.AttrTemplate], of[vocabulary.AttrExample]}
		}
	}
	for n := range i.Suspects {
		s := &i.Suspects[n]
		note(&s.Evidence)
		for k := range s.Also {
			note(&s.Also[k])
		}
		for k := range s.Changes {
			v.Deeds[s.Name] = append(v.Deeds[s.Name], vocabulary.Change(&s.Changes[k]))
		}
	}
	return v
}

// brief is an incident as the list of the page shows it.
type brief struct {
	ID       string          `json:"id"`
	Service  string          `json:"service"`
	State    incident.State  `json:"state"`
	Opened   time.Time       `json:"opened"`
	Updated  time.Time       `json:"updated"`
	Closed   time.Time       `json:"closed,omitzero"`
	Reason   incident.Reason `json:"closed_because,omitempty"`
	MaxScore float64         `json:"max_score"`
	Count    int             `json:"count"`
	Services []string        `json:"services"`
	Suspect  string          `json:"suspect,omitempty"`
	Sentence string          `json:"sentence"`
}

func briefOf(i *incident.Incident) brief {
	b := brief{
		ID: i.ID, Service: i.Service, State: i.State, Opened: i.Opened, Updated: i.Updated, Closed: i.Closed, Reason: i.Reason,
		MaxScore: i.MaxScore, Count: i.Count, Services: i.Services, Sentence: vocabulary.Account(i, time.UTC),
	}
	if len(i.Suspects) > 0 && !i.Undetermined {
		b.Suspect = vocabulary.SuspectName(&i.Suspects[0])
	}
	return b
}

// bulletin is the topic incidents of the stream: the open ones, the most severe
// first, and the latest closed ones. The totals count all.
type bulletin struct {
	Open        []brief `json:"open"`
	Closed      []brief `json:"closed"`
	OpenTotal   int     `json:"open_total"`
	ClosedTotal int     `json:"closed_total"`
}

func bulletinOf(e *engine.Engine) bulletin {
	b := bulletin{Open: []brief{}, Closed: []brief{}}
	all := e.Incidents("")
	slices.SortStableFunc(all, func(a, b incident.Incident) int { return cmp.Compare(b.MaxScore, a.MaxScore) })
	closed := []*incident.Incident{}
	for i := range all {
		switch {
		case all[i].State == incident.StateClosed:
			if all[i].MergedInto == "" {
				closed = append(closed, &all[i])
			}
		case len(b.Open) < maxOpen:
			b.Open = append(b.Open, briefOf(&all[i]))
			fallthrough
		default:
			b.OpenTotal++
		}
	}
	b.ClosedTotal = len(closed)
	slices.SortFunc(closed, func(a, b *incident.Incident) int { return cmp.Or(b.Opened.Compare(a.Opened), cmp.Compare(a.ID, b.ID)) })
	for _, i := range closed[:min(maxClosed, len(closed))] {
		b.Closed = append(b.Closed, briefOf(i))
	}
	return b
}

// bySeverity returns anomalies ordered by their greatest score, the greatest first.
func bySeverity(list []incident.Anomaly) []incident.Anomaly {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b incident.Anomaly) int { return cmp.Compare(b.MaxScore, a.MaxScore) })
	return sorted
}
