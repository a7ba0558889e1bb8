// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/auspex-otel/auspex/internal/incident"
)

// recordedIncidents prints the incidents that a backtest wrote, in the format of the live command.
func recordedIncidents(env environment, o incidentsOptions, ids []string) error {
	if err := checkState(o.state); err != nil {
		return err
	}
	if len(ids) > 0 {
		if err := checkID(ids[0]); err != nil {
			return err
		}
	}
	list, err := readIncidents(filepath.Join(o.from, "incidents.jsonl"))
	if err != nil {
		return failure{err}
	}
	if len(ids) > 0 {
		i := slices.IndexFunc(list, func(i incident.Incident) bool { return i.ID == ids[0] })
		if i < 0 {
			return failure{fmt.Errorf("%s has no incident %s; run 'auspex incidents --from %s' to list its incidents", o.from, ids[0], o.from)}
		}
		return writeIncidents(env, o, list[i], func(b *bytes.Buffer) { printIncident(b, list[i], env.zone) })
	}
	list = slices.DeleteFunc(list, func(i incident.Incident) bool { return o.state != "all" && string(i.State) != o.state })
	slices.SortStableFunc(list, func(a, b incident.Incident) int { return b.Opened.Compare(a.Opened) })
	answer := map[string][]incident.Incident{"incidents": list}
	return writeIncidents(env, o, answer, func(b *bytes.Buffer) { printList(b, list, o.state, env.zone) })
}

// writeIncidents writes a value as JSON with --json, otherwise as text.
func writeIncidents(env environment, o incidentsOptions, v any, text func(*bytes.Buffer)) error {
	var b bytes.Buffer
	if o.asJSON {
		if err := json.NewEncoder(&b).Encode(v); err != nil {
			return failure{err}
		}
	} else {
		text(&b)
	}
	return env.write(b.Bytes())
}

// readIncidents reads a file with one incident per line.
func readIncidents(path string) ([]incident.Incident, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist: set --from to the output folder of 'auspex backtest otlp --out'", path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list := []incident.Incident{}
	for d := json.NewDecoder(f); ; {
		var i incident.Incident
		switch err := d.Decode(&i); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, fmt.Errorf("%s, incident %d: %w", path, len(list)+1, err)
		}
		list = append(list, i)
	}
}
