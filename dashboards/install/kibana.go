// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/auspex-otel/auspex/dashboards"
)

// oldestKibana is the oldest version that imports the saved objects.
var oldestKibana = [2]int{8, 19}

// savedObject is a saved object of Kibana.
type savedObject struct {
	Type       string         `json:"type"`
	ID         string         `json:"id"`
	Attributes map[string]any `json:"attributes"`
	References []any          `json:"references"`
	Error      *struct {
		StatusCode int `json:"statusCode"`
	} `json:"error,omitempty"`
}

// title returns the name that Kibana shows.
func (o savedObject) title() string {
	name, _ := o.Attributes["name"].(string)
	title, _ := o.Attributes["title"].(string)
	return cmp.Or(name, title)
}

// Kibana creates or updates the data views, dashboards, and the Discover session through the API of saved objects of
// Kibana 8.19 and newer. If the import fails, it deletes the objects that it created and restores those that it replaced.
// It returns the server's version.
func Kibana(ctx context.Context, o Options) (version string, changes []Change, err error) {
	s := server{product: "Kibana", url: strings.TrimSuffix(o.URL, "/"), headers: map[string]string{"kbn-xsrf": "auspex"}, http: o.Client}
	if o.Key != "" {
		s.headers["Authorization"] = "ApiKey " + o.Key
	}
	if version, err = s.kibanaVersion(ctx); err != nil {
		return "", nil, err
	}
	file, err := dashboards.Files.ReadFile(dashboards.Kibana)
	if err != nil {
		return version, nil, err
	}
	var ours []savedObject
	for line := range bytes.Lines(file) {
		var so savedObject
		if err := json.Unmarshal(line, &so); err != nil {
			return version, nil, err
		}
		ours = append(ours, so)
	}
	present, err := s.present(ctx, ours)
	if err != nil {
		return version, nil, err
	}
	different := false
	for i, so := range ours {
		c := Change{so.title(), Updated}
		switch {
		case present[i].Error != nil:
			c.Action = Created
		case contains(present[i].Attributes, so.Attributes) && contains(present[i].References, so.References):
			c.Action = Unchanged
		}
		different = different || c.Action != Unchanged
		changes = append(changes, c)
	}
	if o.DryRun || !different {
		return version, changes, nil
	}
	changed, err := s.importObjects(ctx, file)
	switch {
	case err == nil:
		return version, changes, nil
	case changed:
		return version, nil, s.restore(context.WithoutCancel(ctx), present, err)
	default:
		return version, nil, fmt.Errorf("%w; nothing was installed", err)
	}
}

// kibanaVersion returns the version, and an error if it is too old or if there is no Kibana.
func (s *server) kibanaVersion(ctx context.Context) (string, error) {
	var answer struct {
		Version struct {
			Number string `json:"number"`
		} `json:"version"`
	}
	status, err := s.do(ctx, http.MethodGet, "/api/status", nil, &answer)
	if err != nil {
		return "", err
	}
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return "", s.refused(status, "read the version")
	}
	var v [2]int
	if n, _ := fmt.Sscanf(answer.Version.Number, "%d.%d", &v[0], &v[1]); status != http.StatusOK || n != len(v) {
		return "", fmt.Errorf("%s does not answer like Kibana: GET /api/status returns status %d and no version; check the address and the API key", s.url, status)
	}
	if v[0] < oldestKibana[0] || v[0] == oldestKibana[0] && v[1] < oldestKibana[1] {
		return "", fmt.Errorf("%s runs Kibana %s, but the dashboards need Kibana %d.%d or newer", s.url, answer.Version.Number, oldestKibana[0], oldestKibana[1])
	}
	return answer.Version.Number, nil
}

// present returns the server's objects in the order of ours. One that does not exist has an error with status 404.
func (s *server) present(ctx context.Context, ours []savedObject) ([]savedObject, error) {
	var ids []map[string]string
	for _, so := range ours {
		ids = append(ids, map[string]string{"type": so.Type, "id": so.ID})
	}
	var answer struct {
		Objects []savedObject `json:"saved_objects"`
	}
	status, err := s.do(ctx, http.MethodPost, "/api/saved_objects/_bulk_get", ids, &answer)
	if err == nil && status != http.StatusOK {
		err = s.refused(status, "read the saved objects")
	}
	if err == nil && len(answer.Objects) != len(ours) {
		err = fmt.Errorf("%s does not answer like Kibana: it returned %d of %d saved objects", s.url, len(answer.Objects), len(ours))
	}
	if err != nil {
		return nil, err
	}
	for _, so := range answer.Objects {
		switch {
		case so.Error == nil && !strings.HasPrefix(so.title(), "Auspex"):
			return nil, fmt.Errorf("%s has an object %q with the id %s that is not from Auspex (its title does not begin with Auspex): delete it, nothing was installed", s.url, so.title(), so.ID)
		case so.Error != nil && so.Error.StatusCode != http.StatusNotFound:
			return nil, s.refused(so.Error.StatusCode, "read the saved object "+so.ID)
		}
	}
	return answer.Objects, nil
}

// importObjects imports objects, one JSON object per line, and replaces those that exist. It reports whether an import
// that failed can have changed some of them.
func (s *server) importObjects(ctx context.Context, lines []byte) (changed bool, err error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", "auspex.ndjson")
	if err != nil {
		return false, err
	}
	if _, err := part.Write(lines); err != nil {
		return false, err
	}
	if err := w.Close(); err != nil {
		return false, err
	}
	var answer struct {
		Success bool `json:"success"`
		Errors  []struct {
			ID    string `json:"id"`
			Error struct {
				Type string `json:"type"`
			} `json:"error"`
		} `json:"errors"`
	}
	status, err := s.do(ctx, http.MethodPost, "/api/saved_objects/_import?overwrite=true", form{w.FormDataContentType(), body.Bytes()}, &answer)
	switch {
	case err != nil:
		return true, err
	case status != http.StatusOK:
		return false, s.refused(status, "import saved objects")
	case !answer.Success && len(answer.Errors) > 0:
		return true, fmt.Errorf("%s at %s rejects the saved object %s (%s)", s.product, s.url, answer.Errors[0].ID, answer.Errors[0].Error.Type)
	case !answer.Success:
		return true, fmt.Errorf("%s at %s rejects the saved objects", s.product, s.url)
	}
	return true, nil
}

// restore undoes a failed import, and returns its error.
func (s *server) restore(ctx context.Context, present []savedObject, failed error) error {
	var lines bytes.Buffer
	var errs []error
	e := json.NewEncoder(&lines)
	for _, so := range present {
		if so.Error == nil {
			errs = append(errs, e.Encode(so))
			continue
		}
		status, err := s.do(ctx, http.MethodDelete, "/api/saved_objects/"+so.Type+"/"+url.PathEscape(so.ID)+"?force=true", nil, nil)
		if err == nil && status != http.StatusOK && status != http.StatusNotFound {
			err = s.refused(status, "delete "+so.ID)
		}
		errs = append(errs, err)
	}
	if lines.Len() > 0 {
		_, err := s.importObjects(ctx, lines.Bytes())
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return errors.Join(failed, fmt.Errorf("reverting the changes failed as well: %w", err))
	}
	return fmt.Errorf("%w; nothing was installed", failed)
}
