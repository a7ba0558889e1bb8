// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package warmup

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"go.opentelemetry.io/collector/config/confighttp"
)

// The values of translation_strategy, as in the remote-write exporter.
const (
	escapeWithSuffixes    = "UnderscoreEscapingWithSuffixes"
	escapeWithoutSuffixes = "UnderscoreEscapingWithoutSuffixes"
	utf8WithSuffixes      = "NoUTF8EscapingWithSuffixes"
	noTranslation         = "NoTranslation"
)

// Config configures the source of history.
type Config struct {
	// Prometheus is the server with the history.
	Prometheus Prometheus `mapstructure:"prometheus"`
	// Lookback is the length of the history.
	Lookback time.Duration `mapstructure:"lookback"`
	// Timeout bounds the time that the start of the collector waits. Series that were not read by
	// then start cold.
	Timeout time.Duration `mapstructure:"timeout"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Prometheus is a server with the Prometheus query API.
type Prometheus struct {
	// Client configures the HTTP client. Its timeout applies to one request.
	Client confighttp.ClientConfig `mapstructure:",squash"`
	// Match lists selectors of the series to read. The default is all.
	Match []string `mapstructure:"match"`
	// ReplicaLabels lists the labels that distinguish only copies of one series.
	ReplicaLabels []string `mapstructure:"replica_labels"`
	// RequestsPerSecond bounds the load on the server.
	RequestsPerSecond float64 `mapstructure:"requests_per_second"`

	// Namespace, ExternalLabels, AddMetricSuffixes, and TranslationStrategy must equal those of
	// the exporter that wrote the series.
	Namespace           string            `mapstructure:"namespace"`
	ExternalLabels      map[string]string `mapstructure:"external_labels"`
	AddMetricSuffixes   bool              `mapstructure:"add_metric_suffixes"`
	TranslationStrategy string            `mapstructure:"translation_strategy"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// DefaultConfig returns a lookback of two weeks, ten requests per second, and a timeout of a
// minute.
func DefaultConfig() Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 30 * time.Second
	return Config{
		Prometheus: Prometheus{
			Client: client, ReplicaLabels: []string{"prometheus_replica", "__replica__", "replica"}, RequestsPerSecond: 10, AddMetricSuffixes: true,
		},
		Lookback: 14 * 24 * time.Hour,
		Timeout:  time.Minute,
	}
}

// Validate returns an error for each invalid key.
func (c *Config) Validate() error {
	var errs []error
	if c.Lookback < time.Minute {
		errs = append(errs, fmt.Errorf("lookback is %v, it must be at least 1m", c.Lookback))
	}
	if c.Timeout < time.Second {
		errs = append(errs, fmt.Errorf("timeout is %v, it must be at least 1s", c.Timeout))
	}
	return errors.Join(errs...)
}

// Validate returns an error for each invalid key.
func (p *Prometheus) Validate() error {
	var errs []error
	if u, err := url.Parse(p.Client.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		errs = append(errs, errors.New("endpoint must be the URL of a Prometheus, such as http://127.0.0.1:9090"))
	}
	if p.Client.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout is %v, it must be above 0", p.Client.Timeout))
	}
	if !(p.RequestsPerSecond > 0) {
		errs = append(errs, fmt.Errorf("requests_per_second is %v, it must be above 0", p.RequestsPerSecond))
	}
	for _, m := range p.Match {
		if _, err := selectorParser.ParseMetricSelector(m); err != nil {
			errs = append(errs, fmt.Errorf("match: %q is not a series selector: %w", m, err))
		}
	}
	switch p.TranslationStrategy {
	case "", escapeWithSuffixes, escapeWithoutSuffixes, utf8WithSuffixes, noTranslation:
	default:
		errs = append(errs, fmt.Errorf("translation_strategy is %q, use %s", p.TranslationStrategy,
			strings.Join([]string{escapeWithSuffixes, escapeWithoutSuffixes, utf8WithSuffixes, noTranslation}, ", ")))
	}
	return errors.Join(errs...)
}

// suffixes reports whether the exporter marks counters by a suffix.
func (p *Prometheus) suffixes() bool {
	switch p.TranslationStrategy {
	case escapeWithSuffixes, utf8WithSuffixes:
		return true
	case escapeWithoutSuffixes, noTranslation:
		return false
	default:
		return p.AddMetricSuffixes
	}
}

var selectorParser = parser.NewParser(parser.Options{})
