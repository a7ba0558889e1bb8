// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package install puts the shipped dashboards and alert rules into a running Grafana or Kibana.
package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/auspex-otel/auspex/dashboards"
)

// ownTag marks the dashboards of Grafana and the alert rules of Kibana that are from Auspex.
const ownTag = "auspex"

// Action states what happened, or would happen, to an object.
type Action string

// Actions.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged"
)

// Change is the result for one object. Kind is the product's term, such as dashboard.
type Change struct {
	Kind, Title string
	Action      Action
}

// Options control an installation.
type Options struct {
	// URL is the address of the server, Key an API key or the token of a service account.
	URL, Key string
	// DryRun reports the changes and makes none.
	DryRun bool
	Client *http.Client
}

// plan holds the results for all objects, and the requests that lead to them.
type plan struct {
	changes []Change
	steps   []step
}

// step is one request that changes the server.
type step struct {
	// do sends the request. If it fails, changed reports whether the server may have made the change or a part of it.
	do func(context.Context) (changed bool, err error)
	// undo restores the state before the request.
	undo func(context.Context) error
}

// add adds the result for an object, and the request that leads to it unless the object is unchanged.
func (p *plan) add(c Change, s step) {
	p.changes = append(p.changes, c)
	if c.Action != Unchanged {
		p.steps = append(p.steps, s)
	}
}

// apply makes all changes, or none of them.
func (p *plan) apply(ctx context.Context) error {
	var undo []func(context.Context) error
	for _, s := range p.steps {
		changed, err := s.do(ctx)
		if err == nil || changed {
			undo = append(undo, s.undo)
		}
		if err == nil {
			continue
		}
		// The caller may have been interrupted, but what was changed has to be reverted.
		ctx := context.WithoutCancel(ctx)
		var failed []error
		for _, f := range slices.Backward(undo) {
			failed = append(failed, f(ctx))
		}
		if failed := errors.Join(failed...); failed != nil {
			return errors.Join(err, fmt.Errorf("reverting the changes failed as well: %w", failed))
		}
		return fmt.Errorf("%w; nothing was installed", err)
	}
	return nil
}

// run applies the plan, except for a dry run, and returns the changes.
func (p *plan) run(ctx context.Context, o Options) ([]Change, error) {
	if o.DryRun {
		return p.changes, nil
	}
	if err := p.apply(ctx); err != nil {
		return nil, err
	}
	return p.changes, nil
}

// shipped is a JSON object of a file. The id is the name of the file.
type shipped struct {
	id   string
	body map[string]any
}

// readShipped returns the JSON files of a folder of dashboards.Files.
func readShipped(folder string) ([]shipped, error) {
	names, err := fs.Glob(dashboards.Files, path.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	var list []shipped
	for _, name := range names {
		text, err := dashboards.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s := shipped{id: strings.TrimSuffix(path.Base(name), ".json")}
		if err := json.Unmarshal(text, &s.body); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, s)
	}
	return list, nil
}

// hasTag reports whether a dashboard of Grafana or an alert rule of Kibana is from Auspex.
func hasTag(object map[string]any) bool {
	tags, _ := object["tags"].([]any)
	return slices.Contains(tags, any(ownTag))
}

// contains reports whether a stored value has everything that a shipped one has. The servers add settings of their own, and
// Grafana raises schemaVersion.
func contains(stored, shipped any) bool {
	switch shipped := shipped.(type) {
	case map[string]any:
		stored, ok := stored.(map[string]any)
		for k, v := range shipped {
			if k != "schemaVersion" && (!ok || !contains(stored[k], v)) {
				return false
			}
		}
		return ok
	case []any:
		stored, ok := stored.([]any)
		if !ok || len(stored) != len(shipped) {
			return false
		}
		for i := range shipped {
			if !contains(stored[i], shipped[i]) {
				return false
			}
		}
		return true
	default:
		return stored == shipped
	}
}
