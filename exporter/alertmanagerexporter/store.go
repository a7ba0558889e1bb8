// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package alertmanagerexporter

import (
	"context"
	"encoding/json"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

const (
	storageName = "alerts" // apart from the queue, which is named after its signal
	storageKey  = "alerts"
)

// saved is the content of the storage: JSON.
type saved struct {
	Version int      `json:"version"`
	Alerts  []*entry `json:"alerts"`
}

const savedVersion = 1

// open returns a client of the storage extension.
func open(ctx context.Context, host component.Host, id, of component.ID) (storage.Client, error) {
	ext, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("exporters::%s::storage: no extension %q is configured: add it under extensions and to service::extensions", of, id)
	}
	s, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("exporters::%s::storage: extension %q is no storage extension", of, id)
	}
	client, err := s.GetClient(ctx, component.KindExporter, of, storageName)
	if err != nil {
		return nil, fmt.Errorf("exporters::%s::storage: cannot open %q: %w", of, id, err)
	}
	return client, nil
}

// load reads the table. An error leaves it empty.
func (t *table) load(ctx context.Context, client storage.Client) error {
	text, err := client.Get(ctx, storageKey)
	if err != nil || text == nil {
		return err
	}
	var s saved
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if s.Version != savedVersion {
		return fmt.Errorf("the version is %d, this program reads %d", s.Version, savedVersion)
	}
	for _, e := range s.Alerts {
		if e != nil && e.ID != "" && len(t.entries) < t.limit {
			t.entries[e.ID] = e
		}
	}
	return nil
}

// save writes the table.
func (t *table) save(ctx context.Context, client storage.Client) error {
	s := saved{Version: savedVersion, Alerts: make([]*entry, 0, len(t.entries))}
	for _, e := range t.entries {
		s.Alerts = append(s.Alerts, e)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return client.Set(ctx, storageKey, text)
}
