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
	// answerTime is how long the collector may take, maxAnswer how many bytes its answer may have.
	answerTime = 10 * time.Second
	maxAnswer  = 64 << 20
)

// client asks the API of one collector's console.
type client struct {
	base string // without a slash at the end
	peer string // base without secrets, for people
	http http.Client
}

// newClient checks the endpoint, and asks nothing yet.
func newClient(endpoint string) (*client, error) {
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("--endpoint is %q, but must be an address such as %s", endpoint, defaultEndpoint)
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

// get asks for a path, decodes the answer into v, and returns its bytes.
func (c *client) get(ctx context.Context, path string, v any) ([]byte, error) {
	return c.send(ctx, http.MethodGet, path, nil, v)
}

// send sends a request, with a body as JSON unless it is nil, decodes the answer into v, and returns its bytes.
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
	defer func() { _ = resp.Body.Close() }() // it was only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, c.unreachable(err)
	}
	if len(answer) > maxAnswer {
		return nil, c.foreign(fmt.Sprintf("its answer is longer than %d MiB", maxAnswer>>20))
	}
	if resp.StatusCode != http.StatusOK {
		return nil, c.refused(resp.StatusCode, answer)
	}
	if err := json.Unmarshal(answer, v); err != nil {
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return nil, c.foreign(strings.TrimSpace("its answer has an unexpected " + t.Value + " " + t.Field))
		}
		return nil, c.foreign("its answer is not JSON: " + err.Error())
	}
	return answer, nil
}

// unreachable says that no answer came.
func (c *client) unreachable(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the whole address once more
	}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no collector answers at %s (connection refused): start one with otelcol-auspex, or give --endpoint", c.peer)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s did not answer within %s: see whether the collector is overloaded, or give another --endpoint", c.peer, c.http.Timeout)
	default:
		return fmt.Errorf("no answer from %s (%w): see whether the collector runs, or give another --endpoint", c.peer, err)
	}
}

// refusal is an error that the console answered.
type refusal struct {
	peer   string
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s answered %d: %s", r.peer, r.status, r.text) }

// refused says that the collector answered with an error, or that something else did.
func (c *client) refused(status int, body []byte) error {
	var answer struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Error == "" {
		return c.foreign(fmt.Sprintf("it answered %d %s", status, http.StatusText(status)))
	}
	return &refusal{c.peer, status, clean(answer.Error)}
}

// foreign says that what answers does not speak as a console does.
func (c *client) foreign(what string) error {
	return fmt.Errorf("what answers at %s is not the console of a collector that this program knows (%s): give --endpoint the address of its anomaly_console extension",
		c.peer, what)
}
