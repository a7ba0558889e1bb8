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

	"github.com/auspex-otel/auspex/dashboards"
)

// kindDashboard is the type of dashboards among saved objects.
const kindDashboard = "dashboard"

// terms has Kibana's terms for the types of saved objects.
var terms = map[string]string{"index-pattern": "data view", "search": "Discover session", kindDashboard: "dashboard"}

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

// planObjects compares the shipped saved objects of the selected types with those of the server. One request imports all.
func (s *server) planObjects(ctx context.Context, p *plan, selected func(kind string) bool) error {
	file, err := dashboards.Files.ReadFile(dashboards.Kibana)
	if err != nil {
		return err
	}
	var ours []savedObject
	var lines []byte
	for line := range bytes.Lines(file) {
		var so savedObject
		if err := json.Unmarshal(line, &so); err != nil {
			return err
		}
		if selected(so.Type) {
			ours, lines = append(ours, so), append(lines, line...)
		}
	}
	present, err := s.present(ctx, ours)
	if err != nil {
		return err
	}
	different := false
	for i, so := range ours {
		c := Change{terms[so.Type], so.title(), Updated}
		switch {
		case present[i].Error != nil:
			c.Action = Created
		case contains(present[i].Attributes, so.Attributes) && contains(present[i].References, so.References):
			c.Action = Unchanged
		}
		different = different || c.Action != Unchanged
		p.changes = append(p.changes, c)
	}
	if different {
		p.steps = append(p.steps, step{
			func(ctx context.Context) (bool, error) { return s.importObjects(ctx, lines) },
			func(ctx context.Context) error { return s.restore(ctx, present) },
		})
	}
	return nil
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
		case so.Error == nil && !ownTitle(so.title()):
			return nil, s.foreign("an object", so.title(), so.ID, "its title does not begin with Auspex")
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

// restore deletes the objects that did not exist and imports those that did.
func (s *server) restore(ctx context.Context, present []savedObject) error {
	var lines bytes.Buffer
	var errs []error
	e := json.NewEncoder(&lines)
	for _, so := range present {
		if so.Error == nil {
			errs = append(errs, e.Encode(so))
			continue
		}
		errs = append(errs, s.remove(ctx, "/api/saved_objects/"+so.Type+"/"+url.PathEscape(so.ID)+"?force=true"))
	}
	if lines.Len() > 0 {
		_, err := s.importObjects(ctx, lines.Bytes())
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
