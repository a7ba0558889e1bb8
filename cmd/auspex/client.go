// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	// answerTime is the timeout of a request. maxAnswer is the maximum size of a response in bytes.
	answerTime = 10 * time.Second
	maxAnswer  = 64 << 20
)

// client asks the API of one collector's console.
type client struct {
	base string // without a slash at the end
	peer string // base without credentials, for messages
	http http.Client
}

// newClient returns a client of the endpoint. It checks the address, but sends no request.
func newClient(endpoint string) (*client, error) {
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("--endpoint is %q; must be an address such as %s", endpoint, defaultEndpoint)
	}
	return &client{
		base: strings.TrimSuffix(u.String(), "/"),
		peer: strings.TrimSuffix(u.Redacted(), "/"),
		http: http.Client{
			Timeout:       answerTime,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// get requests a path, decodes the response into v, and returns its bytes.
func (c *client) get(ctx context.Context, path string, v any) ([]byte, error) {
	return c.send(ctx, http.MethodGet, path, nil, v)
}

// send sends a request, with a body as JSON unless it is nil, decodes the response into v, and returns its bytes.
func (c *client) send(ctx context.Context, method, path string, body, v any) ([]byte, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if method != http.MethodGet {
		req.Header.Set("X-Auspex-Request", "1") // a page of another site cannot set it
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "auspex/"+version)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer func() { _ = resp.Body.Close() }() // errors do not matter after reading
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, c.unreachable(err)
	}
	if len(answer) > maxAnswer {
		return nil, c.foreign(fmt.Sprintf("the response is longer than %d MiB", maxAnswer>>20))
	}
	if resp.StatusCode != http.StatusOK {
		return nil, c.refused(resp.StatusCode, answer)
	}
	if err := json.Unmarshal(answer, v); err != nil {
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return nil, c.foreign(strings.TrimSpace("the response has an unexpected " + t.Value + " " + t.Field))
		}
		return nil, c.foreign("the response is not JSON: " + err.Error())
	}
	return answer, nil
}

// unreachable returns the error that no response arrived.
func (c *client) unreachable(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the repeated address
	}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no collector answers at %s (connection refused): start one with otelcol-auspex, or set --endpoint", c.peer)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s did not answer within %s: check whether the collector is overloaded, or set --endpoint", c.peer, c.http.Timeout)
	default:
		return fmt.Errorf("no answer from %s (%w): check whether the collector runs, or set --endpoint", c.peer, err)
	}
}

// refusal is an error response of the console.
type refusal struct {
	peer   string
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s answered %d: %s", r.peer, r.status, r.text) }

// refused returns the error of a response with an error status, from the console or from another server.
func (c *client) refused(status int, body []byte) error {
	var answer struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Error == "" {
		return c.foreign(fmt.Sprintf("the response has the status %d %s", status, http.StatusText(status)))
	}
	return &refusal{c.peer, status, clean(answer.Error)}
}

// foreign returns the error that the endpoint is not the console of a known version.
func (c *client) foreign(what string) error {
	return fmt.Errorf("unexpected response from %s (%s): set --endpoint to the address of the anomaly_console extension, and use the same version of auspex and the collector",
		c.peer, what)
}
