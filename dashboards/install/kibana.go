// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/auspex-otel/auspex/dashboards"
)

// Versions of Kibana.
var (
	// oldestKibana is the oldest version that imports the saved objects.
	oldestKibana = []int{8, 19}
	// dashboardsAPI is the oldest version with the stable API of dashboards.
	dashboardsAPI = []int{9, 5}
)

// Kibana creates or updates the data views, the Discover session, the dashboards, and the alert rules. Kibana 8.19 to 9.4
// imports the dashboards as saved objects; newer versions have an API of dashboards. It checks everything that it can
// before its first change. If a change fails, it reverts the changes before it. It returns the server's version.
func Kibana(ctx context.Context, o Options) (version string, changes []Change, err error) {
	s := server{product: "Kibana", url: strings.TrimSuffix(o.URL, "/"), headers: map[string]string{"kbn-xsrf": "auspex"}, http: o.Client}
	if o.Key != "" {
		s.headers["Authorization"] = "ApiKey " + o.Key
	}
	version, number, err := s.kibanaVersion(ctx)
	if err != nil {
		return "", nil, err
	}
	var p plan
	imported := func(string) bool { return true }
	if slices.Compare(number, dashboardsAPI) >= 0 {
		imported = func(kind string) bool { return kind != kindDashboard }
	}
	if err := s.planObjects(ctx, &p, imported); err != nil {
		return version, nil, err
	}
	if !imported(kindDashboard) {
		if err := s.planDashboards(ctx, &p); err != nil {
			return version, nil, err
		}
	}
	if err := s.planRules(ctx, &p); err != nil {
		return version, nil, err
	}
	changes, err = p.run(ctx, o)
	return version, changes, err
}

// kibanaVersion returns the version as text and as numbers, and an error if it is too old or if there is no Kibana.
func (s *server) kibanaVersion(ctx context.Context) (version string, number []int, err error) {
	var answer struct {
		Version struct {
			Number string `json:"number"`
		} `json:"version"`
	}
	status, err := s.do(ctx, http.MethodGet, "/api/status", nil, &answer)
	if err != nil {
		return "", nil, err
	}
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return "", nil, s.refused(status, "read the version")
	}
	number = make([]int, 2)
	if n, _ := fmt.Sscanf(answer.Version.Number, "%d.%d", &number[0], &number[1]); status != http.StatusOK || n != len(number) {
		return "", nil, fmt.Errorf("%s does not answer like Kibana: GET /api/status returns status %d and no version; check the address and the API key", s.url, status)
	}
	if slices.Compare(number, oldestKibana) < 0 {
		return "", nil, fmt.Errorf("%s runs Kibana %s, but the dashboards need Kibana %d.%d or newer", s.url, answer.Version.Number, oldestKibana[0], oldestKibana[1])
	}
	return answer.Version.Number, number, nil
}

// ownTitle reports whether the title of an object of Kibana is one of those of Auspex.
func ownTitle(title string) bool { return strings.HasPrefix(title, "Auspex") }

// foreign describes an object that has an id of Auspex.
func (s *server) foreign(kind, title, id, why string) error {
	return fmt.Errorf("%s has %s %q with the id %s that is not from Auspex (%s): delete it, nothing was installed", s.url, kind, title, id, why)
}

// planDashboards compares the shipped dashboards with those of the server, through the API of dashboards.
func (s *server) planDashboards(ctx context.Context, p *plan) error {
	list, err := readShipped(dashboards.KibanaDashboards)
	if err != nil {
		return err
	}
	for _, d := range list {
		title, _ := d.body["title"].(string)
		address := "/api/dashboards/" + d.id
		var answer struct {
			Data map[string]any `json:"data"`
		}
		status, err := s.do(ctx, http.MethodGet, address, nil, &answer)
		if err != nil {
			return err
		}
		save := func(ctx context.Context, body map[string]any) (bool, error) {
			return s.send(ctx, http.MethodPut, address, body, fmt.Sprintf("save the dashboard %q", title))
		}
		undo := func(ctx context.Context) error { return s.remove(ctx, address) }
		change := Change{"dashboard", title, Created}
		switch present, _ := answer.Data["title"].(string); {
		case status == http.StatusNotFound:
		case status != http.StatusOK:
			return s.refused(status, "read the dashboard "+title)
		case !ownTitle(present):
			return s.foreign("a dashboard", present, d.id, "its title does not begin with Auspex")
		case contains(answer.Data, d.body):
			change.Action = Unchanged
		default:
			change.Action = Updated
			undo = func(ctx context.Context) error {
				_, err := save(ctx, answer.Data)
				return err
			}
		}
		p.add(change, step{func(ctx context.Context) (bool, error) { return save(ctx, d.body) }, undo})
	}
	return nil
}
