// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/auspex-otel/auspex/internal/incident"
)

// console is a client of the collector's API.
type console struct {
	base   string
	client *http.Client
}

// status holds the fields of the engine's status that the demo reads.
type status struct {
	Version string `json:"version"`
	Series  int64  `json:"series"`
	Points  int64  `json:"points"`
}

// newConsole returns a client of the API at an address. It does not use a proxy.
func newConsole(base string) *console {
	return &console{base: base, client: &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{}}}
}

// status requests the status of the engine.
func (c *console) status(ctx context.Context) (status, error) {
	var s status
	err := c.get(ctx, "/api/v1/status", &s)
	return s, err
}

// open requests the open incidents.
func (c *console) open(ctx context.Context) ([]incident.Incident, error) {
	var answer struct {
		Incidents []incident.Incident `json:"incidents"`
	}
	err := c.get(ctx, "/api/v1/incidents?state=open", &answer)
	return answer.Incidents, err
}

// get requests a path and decodes the JSON response.
func (c *console) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s%s: %s", c.base, path, resp.Status)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("GET %s%s: %w", c.base, path, err)
	}
	return nil
}
