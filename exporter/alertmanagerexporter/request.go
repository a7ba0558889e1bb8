// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package alertmanagerexporter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/exporterutil"
	"github.com/auspex-otel/auspex/internal/mask"
)

const (
	// maxRequest is the number of alerts in a request, as in Prometheus.
	maxRequest = 64
	// maxAnswer is the number of bytes of a response that are read.
	maxAnswer = 64 << 10
)

// verdict is the result of sending alerts to all Alertmanagers.
type verdict struct {
	outcome exporterutil.Outcome
	reason  string        // unless accepted
	wait    time.Duration // until the next attempt, as a server asked
}

// send sends the alerts that choose returns, in requests of bounded size. It returns the
// first retryable error, or else the permanent error of alerts that were dropped.
func (s *sender) send(ctx context.Context, choose func(context.Context) []alert) error {
	ctx, cancel := s.cutoff.Context(ctx)
	defer cancel()
	s.sending.Lock()
	defer s.sending.Unlock()
	var dropped error
	for alerts := choose(ctx); len(alerts) > 0; {
		n := min(len(alerts), maxRequest)
		if err := s.deliver(ctx, alerts[:n], &dropped); err != nil {
			return err
		}
		alerts = alerts[n:]
	}
	return dropped
}

// deliver sends alerts as one request, and one by one if they are rejected: Alertmanager
// rejects a request as a whole if one of its alerts is invalid.
func (s *sender) deliver(ctx context.Context, alerts []alert, dropped *error) error {
	v := s.postAll(ctx, alerts)
	switch {
	case v.outcome == exporterutil.Accepted:
		return nil
	case v.outcome == exporterutil.Failed:
		err := errors.New("no Alertmanager accepts the alerts: " + v.reason)
		if v.wait > 0 {
			return exporterhelper.NewThrottleRetry(err, v.wait)
		}
		return err
	case len(alerts) == 1:
		return s.bury(ctx, alerts[0], v.reason, dropped)
	}
	for i := range alerts {
		if err := s.deliver(ctx, alerts[i:i+1], dropped); err != nil {
			return err
		}
	}
	return nil
}

// bury writes a rejected alert to the dead letter. If that fails, the alert is to be sent
// again. Without a dead letter, bury sets dropped.
func (s *sender) bury(ctx context.Context, a alert, reason string, dropped *error) error {
	fields := []zap.Field{zap.String("incident", a.Labels[labelIncident]), zap.String("reason", reason)}
	if s.letters == nil {
		*dropped = permanent(1, reason)
		s.log.Error("dropped", 1, "Every Alertmanager rejects an alert permanently, and there is no dead_letter::directory to keep it.", fields...)
	} else {
		payload, err := json.Marshal([]alert{a})
		if err != nil {
			return err
		}
		discarded, err := s.letters.Write([]deadletter.Letter{{
			Signal: "logs", Items: 1, Reason: reason, Payload: payload,
			Attributes: map[string]string{"content_type": "application/json", "path": alertsPath},
		}})
		if discarded > 0 {
			s.telemetry.ExporterAlertmanagerDeadLettersDiscarded.Add(ctx, int64(discarded))
		}
		if err != nil {
			return err
		}
		s.telemetry.ExporterAlertmanagerDeadLetters.Add(ctx, 1)
		s.log.Error("letters", 1, "Every Alertmanager rejects an alert permanently. It is in the dead letter.", append(fields, zap.String("folder", s.letters.Folder()))...)
	}
	s.telemetry.ExporterAlertmanagerRejectedAlerts.Add(ctx, 1)
	s.drop(ctx, []alert{a})
	return nil
}

// postAll sends alerts to all Alertmanagers at once. As in Prometheus, the alerts are
// accepted if one of them accepts: the others get them with the next resend. Otherwise
// they are rejected if all of them reject.
func (s *sender) postAll(ctx context.Context, alerts []alert) verdict {
	body, err := json.Marshal(alerts)
	if err != nil {
		return verdict{outcome: exporterutil.Refused, reason: err.Error()}
	}
	verdicts := make([]verdict, len(s.targets))
	var all sync.WaitGroup
	for i, t := range s.targets {
		all.Go(func() { verdicts[i] = s.post(ctx, t, body) })
	}
	all.Wait()
	total := verdict{outcome: exporterutil.Refused}
	var reasons []string
	accepted := false
	for i, v := range verdicts {
		accepted = accepted || v.outcome == exporterutil.Accepted
		if v.outcome == exporterutil.Failed {
			total.outcome = exporterutil.Failed
			total.wait = max(total.wait, v.wait)
		}
		if v.reason != "" {
			reasons = append(reasons, s.targets[i].host+": "+v.reason)
		}
	}
	total.reason = strings.Join(reasons, "; ")
	if accepted && len(reasons) > 0 {
		s.log.Warn("partly", 1, "Some Alertmanagers did not accept alerts. They get them with the next resend.", zap.String("reason", total.reason))
	}
	if accepted {
		return verdict{outcome: exporterutil.Accepted}
	}
	return total
}

// post sends one request to one Alertmanager.
func (s *sender) post(ctx context.Context, t target, body []byte) verdict {
	v := s.request(ctx, t, body)
	s.telemetry.ExporterAlertmanagerRequests.Add(ctx, 1, metric.WithAttributes(
		attribute.String("outcome", string(v.outcome)), attribute.String("server.address", t.host)))
	return v
}

func (s *sender) request(ctx context.Context, t target, body []byte) verdict {
	failed := func(err error) verdict {
		return verdict{outcome: exporterutil.Failed, reason: mask.Error(err).Error()}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(body))
	if err != nil {
		return failed(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.set.BuildInfo.Command+"/"+s.set.BuildInfo.Version)
	res, err := s.client.Do(req)
	if err != nil {
		return failed(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	v := verdict{outcome: exporterutil.Judge(res.StatusCode)}
	switch {
	case v.outcome == exporterutil.Accepted:
	case err != nil:
		return failed(err)
	default:
		v.reason = exporterutil.Explain(res, text)
		v.wait = exporterutil.RetryAfter(res.Header.Get("Retry-After"), time.Now())
	}
	return v
}
