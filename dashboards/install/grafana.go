// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package install puts the shipped dashboards into a running Grafana or Kibana.
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
	"strconv"
	"strings"

	"github.com/auspex-otel/auspex/dashboards"
)

// oldestGrafana is the oldest major version that loads the dashboards.
const oldestGrafana = 11

// The folder of the dashboards.
const (
	folderUID   = "auspex"
	folderTitle = "Auspex"
	ownTag      = "auspex"
)

// Action states what happened, or would happen, to a dashboard.
type Action string

// Actions.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged"
)

// Change is the result for one dashboard.
type Change struct {
	Title  string
	Action Action
}

// Options control an installation.
type Options struct {
	// URL is the address of the server, Key an API key or the token of a service account.
	URL, Key string
	// DryRun reports the changes and makes none.
	DryRun bool
	Client *http.Client
}

// board is a shipped dashboard with the server's present one, which is nil if there is none.
type board struct {
	title         string
	ours, present map[string]any
	folder        string // of the present one
	action        Action
}

// Grafana creates or updates the dashboards through the API of dashboards of Grafana 11 to 13. It checks everything that
// it can before its first change. If a change fails, it reverts the changes before it. It returns the server's version.
func Grafana(ctx context.Context, o Options) (version string, changes []Change, err error) {
	s := server{product: "Grafana", url: strings.TrimSuffix(o.URL, "/"), headers: map[string]string{}, http: o.Client}
	if o.Key != "" {
		s.headers["Authorization"] = "Bearer " + o.Key
	}
	if version, err = s.grafanaVersion(ctx); err != nil {
		return "", nil, err
	}
	newFolder, err := s.folderMissing(ctx)
	if err != nil {
		return version, nil, err
	}
	boards, err := s.plan(ctx)
	if err != nil {
		return version, nil, err
	}
	for _, b := range boards {
		changes = append(changes, Change{b.title, b.action})
	}
	if o.DryRun {
		return version, changes, nil
	}
	return version, changes, s.apply(ctx, boards, newFolder)
}

// grafanaVersion returns the version, and an error if it is too old or if there is no Grafana.
func (s *server) grafanaVersion(ctx context.Context) (string, error) {
	var health struct {
		Version string `json:"version"`
	}
	status, err := s.do(ctx, http.MethodGet, "/api/health", nil, &health)
	if err != nil {
		return "", err
	}
	major, _, _ := strings.Cut(health.Version, ".")
	n, err := strconv.Atoi(major)
	if status != http.StatusOK || err != nil {
		return "", fmt.Errorf("%s does not answer like Grafana: GET /api/health returns status %d and no version; check the address", s.url, status)
	}
	if n < oldestGrafana {
		return "", fmt.Errorf("%s runs Grafana %s, but the dashboards need Grafana %d or newer", s.url, health.Version, oldestGrafana)
	}
	return health.Version, nil
}

// folderMissing reports whether the folder has to be created. The request also checks the key.
func (s *server) folderMissing(ctx context.Context) (bool, error) {
	var folder struct {
		CanSave *bool `json:"canSave"`
	}
	status, err := s.do(ctx, http.MethodGet, "/api/folders/"+folderUID, nil, &folder)
	switch {
	case err != nil:
		return false, err
	case status == http.StatusNotFound:
		return true, nil
	case status != http.StatusOK:
		return false, s.refused(status, "read the folder "+folderTitle)
	case folder.CanSave != nil && !*folder.CanSave:
		return false, s.refused(http.StatusForbidden, "save in the folder "+folderTitle)
	}
	return false, nil
}

// plan compares the shipped dashboards with those of the server.
func (s *server) plan(ctx context.Context) ([]*board, error) {
	names, err := fs.Glob(dashboards.Files, path.Join(dashboards.Grafana, "*.json"))
	if err != nil {
		return nil, err
	}
	var boards []*board
	for _, name := range names {
		text, err := dashboards.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		b := &board{action: Created}
		if err := json.Unmarshal(text, &b.ours); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		b.title, _ = b.ours["title"].(string)
		if err := s.compare(ctx, b); err != nil {
			return nil, err
		}
		boards = append(boards, b)
	}
	return boards, nil
}

func (s *server) compare(ctx context.Context, b *board) error {
	var answer struct {
		Dashboard map[string]any `json:"dashboard"`
		Meta      struct {
			FolderUID string `json:"folderUid"`
		} `json:"meta"`
	}
	uid, _ := b.ours["uid"].(string)
	status, err := s.do(ctx, http.MethodGet, "/api/dashboards/uid/"+uid, nil, &answer)
	switch {
	case err != nil:
		return err
	case status == http.StatusNotFound:
		return nil
	case status != http.StatusOK:
		return s.refused(status, "read the dashboard "+b.title)
	}
	if !hasTag(answer.Dashboard) {
		return fmt.Errorf("%s has a dashboard %q with the uid %s that is not from Auspex (it lacks the tag %s): delete it or change its uid, nothing was installed",
			s.url, answer.Dashboard["title"], uid, ownTag)
	}
	b.present, b.folder, b.action = answer.Dashboard, answer.Meta.FolderUID, Updated
	if contains(answer.Dashboard, b.ours) && b.folder == folderUID {
		b.action = Unchanged
	}
	return nil
}

func hasTag(dashboard map[string]any) bool {
	tags, _ := dashboard["tags"].([]any)
	for _, t := range tags {
		if t == ownTag {
			return true
		}
	}
	return false
}

// contains reports whether a stored value has everything that a shipped one has. Grafana adds settings of its own, and
// raises schemaVersion.
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

// apply makes the changes, or none of them.
func (s *server) apply(ctx context.Context, boards []*board, newFolder bool) error {
	var revert []func(context.Context) error
	fail := func(err error) error {
		// The caller may have been interrupted, but what was changed has to be reverted.
		ctx := context.WithoutCancel(ctx)
		for _, f := range slices.Backward(revert) {
			if undo := f(ctx); undo != nil {
				return errors.Join(err, fmt.Errorf("reverting the changes failed as well: %w", undo))
			}
		}
		return fmt.Errorf("%w; nothing was installed", err)
	}
	if newFolder {
		status, err := s.do(ctx, http.MethodPost, "/api/folders", map[string]any{"uid": folderUID, "title": folderTitle}, nil)
		if err == nil && status != http.StatusOK {
			err = s.refused(status, "create the folder "+folderTitle)
		}
		if err != nil {
			return fail(err)
		}
		revert = append(revert, func(ctx context.Context) error { return s.remove(ctx, "/api/folders/"+folderUID) })
	}
	for _, b := range boards {
		if b.action == Unchanged {
			continue
		}
		if err := s.save(ctx, b.title, b.ours, folderUID, b.action == Updated); err != nil {
			return fail(err)
		}
		revert = append(revert, func(ctx context.Context) error {
			if b.present != nil {
				return s.save(ctx, b.title, b.present, b.folder, true)
			}
			return s.remove(ctx, fmt.Sprintf("/api/dashboards/uid/%s", b.ours["uid"]))
		})
	}
	return nil
}

func (s *server) save(ctx context.Context, title string, dashboard map[string]any, folder string, overwrite bool) error {
	status, err := s.do(ctx, http.MethodPost, "/api/dashboards/db", map[string]any{
		"dashboard": dashboard, "folderUid": folder, "overwrite": overwrite, "message": "auspex dashboards install",
	}, nil)
	if err == nil && status != http.StatusOK {
		err = s.refused(status, fmt.Sprintf("save the dashboard %q", title))
	}
	return err
}

func (s *server) remove(ctx context.Context, address string) error {
	status, err := s.do(ctx, http.MethodDelete, address, nil, nil)
	if err == nil && status != http.StatusOK {
		err = s.refused(status, "delete "+address)
	}
	return err
}
