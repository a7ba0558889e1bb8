// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	"github.com/auspex-otel/auspex/dashboards"
)

// settings are the fields of an alert rule that PUT accepts, except for the actions.
var settings = []string{"name", "tags", "schedule", "params", "alert_delay"}

// settingsOf returns the settings of a rule.
func settingsOf(rule map[string]any) map[string]any {
	picked := map[string]any{}
	for _, name := range settings {
		if v, ok := rule[name]; ok {
			picked[name] = v
		}
	}
	return picked
}

// planRules compares the shipped alert rules with those of the server.
func (s *server) planRules(ctx context.Context, p *plan) error {
	list, err := readShipped(dashboards.KibanaRules)
	if err != nil {
		return err
	}
	for _, r := range list {
		if err := s.planRule(ctx, p, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) planRule(ctx context.Context, p *plan, r shipped) error {
	name, _ := r.body["name"].(string)
	address := "/api/alerting/rule/" + r.id
	var present map[string]any
	status, err := s.do(ctx, http.MethodGet, address, nil, &present)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("save the alert rule %q", name)
	ours := settingsOf(r.body)
	change, save := Change{"alert rule", name, Updated}, step{
		func(ctx context.Context) (bool, error) { return s.send(ctx, http.MethodPost, address, r.body, what) },
		func(ctx context.Context) error { return s.remove(ctx, address) },
	}
	switch {
	case status == http.StatusNotFound:
		if err := s.nameIsFree(ctx, name); err != nil {
			return err
		}
		change.Action = Created
	case status != http.StatusOK:
		return s.refused(status, "read the alert rule "+name)
	case !hasTag(present):
		title, _ := present["name"].(string)
		return s.foreign("an alert rule", title, r.id, "it lacks the tag "+ownTag)
	case contains(present, ours):
		change.Action = Unchanged
	default:
		update := func(ctx context.Context, to map[string]any) (bool, error) {
			body := maps.Clone(to)
			body["actions"] = requested(present)
			return s.send(ctx, http.MethodPut, address, body, what)
		}
		save = step{
			func(ctx context.Context) (bool, error) { return update(ctx, ours) },
			func(ctx context.Context) error {
				_, err := update(ctx, settingsOf(present))
				return err
			},
		}
	}
	p.add(change, save)
	return nil
}

// nameIsFree returns an error if a rule has a name.
func (s *server) nameIsFree(ctx context.Context, name string) error {
	var answer struct {
		Data []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"data"`
	}
	status, err := s.do(ctx, http.MethodGet, "/api/alerting/rules/_find?per_page=100&search_fields=name&search="+url.QueryEscape(`"`+name+`"`), nil, &answer)
	if err == nil && status != http.StatusOK {
		err = s.refused(status, "read the alert rules")
	}
	if err != nil {
		return err
	}
	for _, r := range answer.Data {
		if r.Name == name {
			return fmt.Errorf("%s has an alert rule %q with the id %s that is not from Auspex: rename or delete it, nothing was installed", s.url, name, r.ID)
		}
	}
	return nil
}

// requested returns the actions of a rule in the form of a request, which does not accept the type of the connector.
func requested(rule map[string]any) []any {
	actions := []any{}
	stored, _ := rule["actions"].([]any)
	for _, a := range stored {
		if a, ok := a.(map[string]any); ok {
			a = maps.Clone(a)
			delete(a, "connector_type_id")
			actions = append(actions, a)
		}
	}
	return actions
}
