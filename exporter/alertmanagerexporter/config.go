// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package alertmanagerexporter

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/mask"
)

const (
	apiVersion = "v2"
	alertsPath = "/api/v2/alerts"

	minResendInterval = time.Second
)

// labelName is the pattern of a label name that every Alertmanager accepts.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// Config is the configuration of the exporter. It has the keys of contrib's exporter of
// the same type, and endpoints, external_labels, resend_interval, stale_after, storage,
// and dead_letter.
type Config struct {
	// Endpoints are the base addresses of several Alertmanagers. Each gets every alert. Exactly one of Endpoints and endpoint is set.
	Endpoints []string `mapstructure:"endpoints"`
	// Client holds endpoint (the base address of one Alertmanager), tls, auth, headers, timeout (of one request), and the other settings of an HTTP client.
	Client confighttp.ClientConfig `mapstructure:",squash"`
	// GeneratorURL is the base address of the console. The link of an alert is the page of its incident there. Empty: alerts have no link to the console.
	GeneratorURL string `mapstructure:"generator_url"`
	// DefaultSeverity is the label severity of an alert.
	DefaultSeverity string `mapstructure:"severity"`
	// SeverityAttribute names an attribute of the log record, or else of its resource, whose value takes the place of DefaultSeverity.
	SeverityAttribute string `mapstructure:"severity_attribute"`
	// APIVersion is the version of Alertmanager's API: v2.
	APIVersion string `mapstructure:"api_version"`
	// Queue holds events until they are sent. Without it, each call sends its alerts before it returns.
	Queue configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// Retry configures the retries of events that no Alertmanager accepted.
	Retry configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// ExternalLabels are added to every alert.
	ExternalLabels map[string]string `mapstructure:"external_labels"`
	// ResendInterval is the time between two sends of an alert. An alert that is not sent again resolves after four intervals.
	ResendInterval time.Duration `mapstructure:"resend_interval"`
	// StaleAfter is the time without an update of an open incident after which its alert is no longer sent, and resolves.
	StaleAfter time.Duration `mapstructure:"stale_after"`
	// Storage is the extension that keeps the alerts of open incidents, so that a restart continues to send them.
	Storage *component.ID `mapstructure:"storage"`
	// DeadLetter keeps alerts that every Alertmanager rejects permanently. Without it, that is a permanent error.
	DeadLetter deadletter.Config `mapstructure:"dead_letter"`
}

var _ confmap.Validator = (*Config)(nil)

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 10 * time.Second
	retry := configretry.NewDefaultBackOffConfig()
	// The default elsewhere is five minutes, after which a queue deletes the data.
	retry.MaxElapsedTime = 0
	queue := exporterhelper.NewDefaultQueueConfig()
	// One consumer keeps the order of the updates.
	queue.NumConsumers = 1
	return &Config{
		Client:          client,
		DefaultSeverity: "warning",
		APIVersion:      apiVersion,
		Queue:           configoptional.Default(queue),
		Retry:           retry,
		ResendInterval:  time.Minute,
		StaleAfter:      48 * time.Hour,
		DeadLetter:      deadletter.NewDefaultConfig(),
	}
}

// Validate returns an error for each key with an invalid value.
func (c *Config) Validate() error {
	_, errEndpoints := c.targets()
	errs := []error{errEndpoints, c.validateLabels(), c.validateQueue()}
	if c.APIVersion != apiVersion {
		errs = append(errs, fmt.Errorf("api_version: is %q, only v2 is supported (Alertmanager 0.16 and newer): remove the key", c.APIVersion))
	}
	if c.GeneratorURL != "" {
		if _, err := parseAddress(c.GeneratorURL); err != nil {
			errs = append(errs, fmt.Errorf("generator_url: %w", err))
		}
	}
	if c.Client.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout: is %v, it must be above 0", c.Client.Timeout))
	}
	if c.ResendInterval < minResendInterval {
		errs = append(errs, fmt.Errorf("resend_interval: is %v, it must be at least %v", c.ResendInterval, minResendInterval))
	}
	if c.StaleAfter < c.ResendInterval {
		errs = append(errs, fmt.Errorf("stale_after: is %v, it must be at least resend_interval, which is %v", c.StaleAfter, c.ResendInterval))
	}
	return errors.Join(errs...)
}

func (c *Config) validateLabels() error {
	var errs []error
	if c.DefaultSeverity == "" {
		errs = append(errs, errors.New("severity: is empty, set it to a value that the routes of Alertmanager match, such as warning"))
	}
	for _, name := range slices.Sorted(maps.Keys(c.ExternalLabels)) {
		switch {
		case !labelName.MatchString(name) || c.ExternalLabels[name] == "":
			errs = append(errs, fmt.Errorf("external_labels: %q: %q: a name consists of letters, digits, and _, and a value is not empty", name, c.ExternalLabels[name]))
		case slices.Contains(ownLabels, name):
			errs = append(errs, fmt.Errorf("external_labels: %s is a label of the exporter itself: use another name", name))
		}
	}
	return errors.Join(errs...)
}

func (c *Config) validateQueue() error {
	if c.Queue.HasValue() && !c.Queue.Get().WaitForResult && !c.Retry.Enabled {
		return errors.New("retry_on_failure::enabled: is false, so sending_queue would delete events while no Alertmanager is reachable: set it to true")
	}
	return nil
}

// target is one Alertmanager.
type target struct {
	url  string // of the API
	host string // host and port
}

// targets returns the Alertmanagers.
func (c *Config) targets() ([]target, error) {
	addresses := c.Endpoints
	if c.Client.Endpoint != "" {
		addresses = append(slices.Clip(addresses), c.Client.Endpoint)
	}
	if len(addresses) == 0 || (c.Client.Endpoint != "" && len(c.Endpoints) > 0) {
		return nil, errors.New("exactly one of endpoint and endpoints must be set, as in endpoint: http://alertmanager.example:9093")
	}
	all := make([]target, len(addresses))
	for i, address := range addresses {
		u, err := parseAddress(address)
		if err != nil {
			return nil, fmt.Errorf("endpoint: %w", err)
		}
		if strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/alerts") {
			return nil, fmt.Errorf("endpoint: %q is the address of the API: set the base address, without /api/…", mask.Addresses(address))
		}
		all[i] = target{url: u.JoinPath(alertsPath).String(), host: u.Host}
	}
	return all, nil
}

// parseAddress parses the base address of a server.
func parseAddress(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return nil, mask.Error(err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%q is not a URL such as http://host.example:9093", mask.Addresses(address))
	}
	return u, nil
}
