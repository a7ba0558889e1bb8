// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// The result of the pipeline determines the response.
func TestAnswerOfThePipeline(t *testing.T) {
	later, never := errors.New("later"), consumererror.NewPermanent(errors.New("never"))
	for name, tt := range map[string]struct {
		err     error
		status  int
		outcome string
		reason  string
	}{
		"accepted":        {nil, 204, "accepted", ""},
		"retryable":       {later, 503, "failed", reasonRetryable},
		"permanent":       {never, 400, "refused", reasonPermanent},
		"one of two":      {errors.Join(never, later), 503, "failed", reasonRetryable},
		"two permanent":   {errors.Join(never, never), 400, "refused", reasonPermanent},
		"out of patience": {context.DeadlineExceeded, 503, "failed", reasonRetryable},
	} {
		t.Run(name, func(t *testing.T) {
			next := &pipeline{answer: func(context.Context, pmetric.Metrics) error { return tt.err }}
			r := start(t, next, nil)
			for _, version := range []string{contentV1, contentV2} {
				m, err := parseMessage("x{job=\"j\"} : 1@1000 ex(1@1000 {})\n" + `y{job="j"} : nh({"t":1000,"count":1,"sum":1,"pos":[[0,1]],"posn":[1]})`)
				require.NoError(t, err)
				body := m.v1()
				if version == contentV2 {
					body = m.v2()
				}
				a := r.post(version, body)
				assert.Equal(t, tt.status, a.status)
				if tt.err == nil {
					assert.Equal(t, "1 1 1", a.written())
					assert.Empty(t, a.text)
					continue
				}
				assert.Equal(t, "0 0 0", a.written())
				assert.Contains(t, a.text, tt.err.Error())
				assert.Equal(t, tt.status == 503, a.header.Get("Retry-After") != "")
			}
			assert.EqualValues(t, 2, r.count("requests", tt.outcome))
			if tt.reason != "" {
				assert.EqualValues(t, 2, r.count("errors", tt.reason))
			}
		})
	}
}

// Waiting exemplars survive a request that the pipeline rejects, and are sent once.
func TestExemplarsOfARefusedRequest(t *testing.T) {
	refuse := false
	next := &pipeline{answer: func(context.Context, pmetric.Metrics) error {
		if refuse {
			return errors.New("later")
		}
		return nil
	}}
	r := start(t, next, nil)
	require.Equal(t, 204, r.post(contentV1, text(`x{} : ex(1@1000 {a="waits"})`)).status)
	again := text("x{} : 1@2000\ny{} : ex(2@2000 {})\n")
	refuse = true
	for range 3 {
		require.Equal(t, 503, r.post(contentV1, again).status)
	}
	refuse = false
	require.Equal(t, 204, r.post(contentV1, again).status)
	require.Equal(t, 204, r.post(contentV1, text("y{} : 1@3000")).status)
	assert.Equal(t, 1, strings.Count(render(next.accepted()[0]), "exemplar("))
	assert.Equal(t, 1, strings.Count(render(next.accepted()[1]), "exemplar("))
}

// A client without valid credentials is rejected and counted.
func TestAuth(t *testing.T) {
	next := &pipeline{}
	r := startWith(t, next, host{component.MustNewID("gate"): authenticator{}}, func(c *Config) {
		c.Server.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: component.MustNewID("gate")}})
	})
	a := r.post(contentV1, v1(good))
	assert.Equal(t, http.StatusUnauthorized, a.status)
	assert.EqualValues(t, 1, r.count("errors", reasonAuth))
	req := r.request(contentV1, snappy.Encode(nil, v1(good)))
	req.Header.Set("Authorization", "sesame")
	assert.Equal(t, http.StatusNoContent, r.do(req).status)
	assert.Equal(t, 1, next.points())
}

// authenticator accepts clients that send the secret.
type authenticator struct {
	component.StartFunc
	component.ShutdownFunc
}

func (authenticator) Authenticate(ctx context.Context, sources map[string][]string) (context.Context, error) {
	if len(sources["Authorization"]) == 1 && sources["Authorization"][0] == "sesame" {
		return ctx, nil
	}
	return ctx, errors.New("who is it?")
}

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// A partly invalid request that the pipeline rejects with a retryable error is sent again as a
// whole.
func TestPartialAndForNow(t *testing.T) {
	next := &pipeline{answer: func(context.Context, pmetric.Metrics) error { return errors.New("later") }}
	r := start(t, next, nil)
	a := r.post(contentV1, v1([]string{"__name__", "x", "a", "1", "a", "2"}, good))
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.Zero(t, r.count("refused_points"), "it is counted once it is refused permanently")
}
