// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// redirectsID is the id under which core's exporter finds refuseRedirects.
var redirectsID = component.MustNewIDWithName("reliable_otlp", "redirects")

// withoutRedirects returns the configuration with a middleware that rejects redirects. Data and
// credentials would go to any host that a redirect names.
func withoutRedirects(c otlphttpexporter.Config) *otlphttpexporter.Config {
	// The last middleware handles responses first.
	c.ClientConfig.Middlewares = append(slices.Clone(c.ClientConfig.Middlewares), configmiddleware.Config{ID: redirectsID})
	return &c
}

// hostWithRedirects adds refuseRedirects to the extensions of a host.
type hostWithRedirects struct{ component.Host }

// GetExtensions returns the extensions of the host and refuseRedirects.
func (h hostWithRedirects) GetExtensions() map[component.ID]component.Component {
	all := maps.Clone(h.Host.GetExtensions())
	if all == nil {
		all = map[component.ID]component.Component{}
	}
	all[redirectsID] = refuseRedirects{}
	return all
}

// refuseRedirects is an HTTP client middleware.
type refuseRedirects struct {
	component.StartFunc
	component.ShutdownFunc
}

var _ extensionmiddleware.HTTPClient = refuseRedirects{}

// GetHTTPRoundTripper returns a round tripper that returns an error for a redirect.
// The error names the target. It is retryable, so no data is lost.
func (refuseRedirects) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, next http.RoundTripper) (http.RoundTripper, error) {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(r)
			if err != nil || res.StatusCode/100 != 3 || res.Header.Get("Location") == "" {
				return res, err
			}
			to := res.Header.Get("Location")
			_ = res.Body.Close()
			return nil, fmt.Errorf("the target answered with HTTP %d, and redirects are not followed: set endpoint to %q", res.StatusCode, to)
		}), nil
	}, nil
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
