// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"fmt"
	"net/http"
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
)

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
	var p plan
	if err := s.planFolder(ctx, &p); err != nil {
		return version, nil, err
	}
	boards, err := readShipped(dashboards.Grafana)
	if err != nil {
		return version, nil, err
	}
	for _, b := range boards {
		if err := s.planBoard(ctx, &p, b.body); err != nil {
			return version, nil, err
		}
	}
	changes, err = p.run(ctx, o)
	return version, changes, err
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

// planFolder adds the creation of the folder if it does not exist. The request also checks the key.
func (s *server) planFolder(ctx context.Context, p *plan) error {
	var folder struct {
		CanSave *bool `json:"canSave"`
	}
	status, err := s.do(ctx, http.MethodGet, "/api/folders/"+folderUID, nil, &folder)
	switch {
	case err != nil:
		return err
	case status == http.StatusNotFound:
		p.steps = append(p.steps, step{
			func(ctx context.Context) (bool, error) {
				return s.send(ctx, http.MethodPost, "/api/folders", map[string]any{"uid": folderUID, "title": folderTitle}, "create the folder "+folderTitle)
			},
			func(ctx context.Context) error { return s.remove(ctx, "/api/folders/"+folderUID) },
		})
	case status != http.StatusOK:
		return s.refused(status, "read the folder "+folderTitle)
	case folder.CanSave != nil && !*folder.CanSave:
		return s.refused(http.StatusForbidden, "save in the folder "+folderTitle)
	}
	return nil
}

// planBoard compares a shipped dashboard with that of the server.
func (s *server) planBoard(ctx context.Context, p *plan, ours map[string]any) error {
	var answer struct {
		Dashboard map[string]any `json:"dashboard"`
		Meta      struct {
			FolderUID string `json:"folderUid"`
		} `json:"meta"`
	}
	uid, _ := ours["uid"].(string)
	title, _ := ours["title"].(string)
	status, err := s.do(ctx, http.MethodGet, "/api/dashboards/uid/"+uid, nil, &answer)
	present := answer.Dashboard
	undo := func(ctx context.Context) error { return s.remove(ctx, "/api/dashboards/uid/"+uid) }
	change := Change{"dashboard", title, Created}
	switch {
	case err != nil:
		return err
	case status == http.StatusNotFound:
	case status != http.StatusOK:
		return s.refused(status, "read the dashboard "+title)
	case !hasTag(present):
		return fmt.Errorf("%s has a dashboard %q with the uid %s that is not from Auspex (it lacks the tag %s): delete it or change its uid, nothing was installed",
			s.url, present["title"], uid, ownTag)
	case contains(present, ours) && answer.Meta.FolderUID == folderUID:
		change.Action = Unchanged
	default:
		change.Action = Updated
		undo = func(ctx context.Context) error {
			_, err := s.saveBoard(ctx, title, present, answer.Meta.FolderUID, true)
			return err
		}
	}
	p.add(change, step{func(ctx context.Context) (bool, error) {
		return s.saveBoard(ctx, title, ours, folderUID, change.Action == Updated)
	}, undo})
	return nil
}

func (s *server) saveBoard(ctx context.Context, title string, board map[string]any, folder string, overwrite bool) (changed bool, err error) {
	return s.send(ctx, http.MethodPost, "/api/dashboards/db", map[string]any{
		"dashboard": board, "folderUid": folder, "overwrite": overwrite, "message": "auspex dashboards install",
	}, fmt.Sprintf("save the dashboard %q", title))
}
