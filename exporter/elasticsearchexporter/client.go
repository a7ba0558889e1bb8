// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"go.opentelemetry.io/collector/component"

	"github.com/auspex-otel/auspex/internal/exporterutil"
	"github.com/auspex-otel/auspex/internal/mask"
)

// addressVariable is read if the configuration has no address, as in other clients of
// Elasticsearch.
const addressVariable = "ELASTICSEARCH_URL"

// addresses returns the addresses of the nodes.
func (c *Config) addresses() ([]*url.URL, error) {
	given, texts := 0, []string(nil)
	if c.ClientConfig.Endpoint != "" {
		given, texts = given+1, []string{c.ClientConfig.Endpoint}
	}
	if len(c.Endpoints) > 0 {
		given, texts = given+1, c.Endpoints
	}
	if c.CloudID != "" {
		address, err := cloudAddress(c.CloudID)
		if err != nil {
			return nil, err
		}
		given, texts = given+1, []string{address}
	}
	if env := os.Getenv(addressVariable); given == 0 && env != "" {
		given, texts = 1, strings.Split(env, ",")
	}
	if given != 1 {
		return nil, fmt.Errorf("exactly one of endpoint, endpoints, and cloudid must be set, or none of them and the environment variable %s", addressVariable)
	}
	urls := make([]*url.URL, len(texts))
	for i, text := range texts {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("endpoint: %w", mask.Error(err))
		}
		if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return nil, fmt.Errorf("endpoint %q: it must be as in https://elasticsearch:9200", mask.Addresses(u.String()))
		}
		urls[i] = u
	}
	return urls, nil
}

// cloudAddress returns the address in a cloud id. The id has a name, a colon, and in base64 the
// domain and the ids of the deployment's parts. The first part is Elasticsearch.
func cloudAddress(id string) (string, error) {
	wrong := errors.New("cloudid is not a valid deployment id: copy it from Elastic Cloud")
	_, coded, found := strings.Cut(id, ":")
	text, err := base64.StdEncoding.DecodeString(coded)
	if !found || err != nil {
		return "", wrong
	}
	parts := strings.Split(string(text), "$")
	if len(parts) < 2 || parts[0] == "" || parts[1] == "" {
		return "", wrong
	}
	host, port, hasPort := strings.Cut(parts[0], ":")
	if !hasPort {
		port = "443"
	}
	return "https://" + parts[1] + "." + host + ":" + port, nil
}

// client sends requests to the nodes in turn, and retries failed nodes later. It does not retry
// requests: the caller knows which requests may be repeated.
type client struct {
	*elastictransport.Client
	http *http.Client
}

func newClient(ctx context.Context, c *Config, host component.Host, set component.TelemetrySettings) (*client, error) {
	urls, err := c.addresses()
	if err != nil {
		return nil, err
	}
	plain, err := c.ClientConfig.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, err
	}
	exporterutil.RefuseRedirects(plain)
	options := []elastictransport.Option{
		elastictransport.WithURLs(urls...),
		elastictransport.WithTransport(whole{plain}),
		elastictransport.WithDisableRetry(),
	}
	if c.User != "" {
		options = append(options, elastictransport.WithBasicAuth(c.User, string(c.Password)))
	}
	if c.APIKey != "" {
		options = append(options, elastictransport.WithAPIKey(string(c.APIKey)))
	}
	transport, err := elastictransport.NewClient(options...)
	if err != nil {
		return nil, err
	}
	return &client{transport, plain}, nil
}

// close ends the wait for failed nodes, and closes idle connections.
func (c *client) close(ctx context.Context) error {
	defer c.http.CloseIdleConnections()
	return c.Close(ctx)
}

// whole adapts a client to a round tripper, so that its timeout and cookies apply.
type whole struct{ client *http.Client }

// RoundTrip sends the request.
func (w whole) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := w.client.Do(req)
	return res, mask.Error(err)
}
