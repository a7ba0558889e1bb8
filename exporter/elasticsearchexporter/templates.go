// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"go.uber.org/zap"
)

//go:embed templates/*.json
var templateFiles embed.FS

// templatesOf lists the index templates of each signal. Span events are logs.
var templatesOf = map[string][]string{
	"logs":    {"logs", "incidents"},
	"metrics": {"metrics"},
	"traces":  {"traces", "logs"},
}

// templates installs index templates once, before the first document. They have the lowest
// priority. They apply only where Elasticsearch or its operator has no template, so that no plain
// index is created.
type templates struct {
	client    esapi.Transport
	logger    *zap.Logger
	names     []string
	incidents string

	mu        sync.Mutex
	installed bool
}

// install returns an error if Elasticsearch returns a retryable error. A rejected template is
// logged, and documents are sent regardless, because another template may match.
func (t *templates) install(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.installed {
		return nil
	}
	for _, name := range t.names {
		if err := t.put(ctx, name); err != nil {
			return err
		}
	}
	t.installed = true
	return nil
}

func (t *templates) put(ctx context.Context, name string) error {
	text, err := templateFiles.ReadFile("templates/" + name + ".json")
	if err != nil {
		return err
	}
	body := strings.ReplaceAll(string(text), "INCIDENTS_INDEX", t.incidents)
	res, err := esapi.IndicesPutIndexTemplateRequest{Name: "auspex-" + name, Body: strings.NewReader(body)}.Do(ctx, t.client)
	if err != nil {
		return fmt.Errorf("no answer from Elasticsearch to _index_template: %w; check that it is running and reachable", err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		return nil
	}
	refusal := readRefusal(res)
	if transient(res.StatusCode) || res.StatusCode == http.StatusUnauthorized {
		return refusal
	}
	t.logger.Warn("Cannot install an index template. Elasticsearch will reject documents unless another template matches: install one, or grant the privilege manage_index_templates",
		zap.String("template", "auspex-"+name), zap.Error(refusal))
	return nil
}
