// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/logutil"
	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/receiver/elasticsearchbulkreceiver/internal/metadata"
)

// answerTimeout bounds the time to write an answer to a client that does not read it.
const answerTimeout = 10 * time.Second

// server serves the clients of one address for the pipelines of logs and metrics. One of the two
// may be nil.
type server struct {
	cfg       *Config
	set       receiver.Settings
	logger    *zap.Logger
	logs      consumer.Logs
	metrics   consumer.Metrics
	obs       *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	log       *logutil.Limiter
	admission *receiverutil.Admission

	http     *receiverutil.HTTPServer
	draining atomic.Bool
}

func newServer(cfg *Config, set receiver.Settings) (*server, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &server{
		cfg: cfg, set: set, logger: set.Logger, obs: obs, telemetry: telemetry,
		log: logutil.NewLimiter(set.Logger), admission: receiverutil.NewAdmission(cfg.Limits),
	}, nil
}

// Start listens on the endpoint. It returns an error for settings that would fail later.
func (s *server) Start(ctx context.Context, host component.Host) (err error) {
	s.http, err = receiverutil.StartHTTP(ctx, host, s.set, receiverutil.HTTPOptions{
		Config: s.cfg.ServerConfig, Handler: http.HandlerFunc(s.serve),
		Server:    []confighttp.ToServerOption{confighttp.WithErrorHandler(s.turnedAway)},
		Outermost: asElasticsearch,
	})
	return err
}

// asElasticsearch adds the product header. Clients reject every answer without it, also error
// responses.
func asElasticsearch(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		inner.ServeHTTP(w, r)
	})
}

// Shutdown waits until requests in progress end or ctx is done. Clients send unanswered requests
// again. It may be called without Start.
func (s *server) Shutdown(ctx context.Context) error {
	if s.http == nil {
		return nil
	}
	s.draining.Store(true)
	err := s.http.Shutdown(ctx)
	s.telemetry.Shutdown()
	return err
}

// failed counts and logs a request that was rejected as a whole.
func (s *server) failed(r *http.Request, why string, err error) {
	s.telemetry.ReceiverElasticsearchBulkErrors.Add(context.WithoutCancel(r.Context()), 1, metric.WithAttributes(attribute.String("reason", why)))
	s.log.Warn(why, 1, "Request rejected; see limits::* if the reason is a limit, else check the client", zap.String("client", r.RemoteAddr), zap.String("reason", why), zap.Error(err))
}
