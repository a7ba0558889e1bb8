// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// maxAnswer is the size of an answer in bytes above which it is not read.
const maxAnswer = 64 << 20

// maxReason is the number of characters of a server's reason in a message.
const maxReason = 300

// server sends requests to the API of one product, with the headers, one after the other.
type server struct {
	product, url string
	headers      map[string]string
	http         *http.Client
	reason       string // of the last status that is not a success, or ""
}

// form is a body that is not JSON.
type form struct {
	contentType string
	text        []byte
}

// do sends a request with body as JSON or as a form, if it is not nil, and decodes the answer of a success into what into points to.
// It returns an error only if there is no usable answer.
func (s *server) do(ctx context.Context, method, path string, body, into any) (status int, err error) {
	content, ok := body.(form)
	if !ok && body != nil {
		content.contentType = "application/json"
		if content.text, err = json.Marshal(body); err != nil {
			return 0, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(content.text))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "application/json")
	if content.contentType != "" {
		req.Header.Set("Content-Type", content.contentType)
	}
	for name, value := range s.headers {
		req.Header.Set(name, value)
	}
	res, err := s.http.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the address, which follows
		}
		return 0, fmt.Errorf("cannot reach %s at %s: %w", s.product, s.url, err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return 0, fmt.Errorf("cannot read the answer of %s at %s: %w", s.product, s.url, err)
	}
	s.reason = ""
	if !success(res.StatusCode) {
		s.reason = reason(answer)
	} else if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			return 0, fmt.Errorf("%s does not answer like %s: the answer to %s %s is not JSON; check the address", s.url, s.product, method, path)
		}
	}
	return res.StatusCode, nil
}

// success reports whether a status is one of those of success.
func success(status int) bool { return status/100 == 2 }

// reason returns the message of an answer in the form of both products, or "".
func reason(answer []byte) string {
	var body struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(answer, &body) != nil {
		return ""
	}
	if runes := []rune(body.Message); len(runes) > maxReason {
		return string(runes[:maxReason]) + "…"
	}
	return body.Message
}

// send sends a request that changes something. If it fails, changed reports whether the server may have made the change.
func (s *server) send(ctx context.Context, method, path string, body any, what string) (changed bool, err error) {
	status, err := s.do(ctx, method, path, body, nil)
	if err != nil {
		return true, err
	}
	if !success(status) {
		return false, s.refused(status, what)
	}
	return true, nil
}

// remove deletes what is at a path, if it exists.
func (s *server) remove(ctx context.Context, path string) error {
	status, err := s.do(ctx, http.MethodDelete, path, nil, nil)
	if err == nil && !success(status) && status != http.StatusNotFound {
		err = s.refused(status, "delete "+path)
	}
	return err
}

// refused describes a status that is not a success, of the last request.
func (s *server) refused(status int, what string) error {
	switch status {
	case http.StatusUnauthorized:
		return fmt.Errorf("%s at %s rejects the API key (status 401): check it, or create one whose role may save dashboards and alert rules", s.product, s.url)
	case http.StatusForbidden:
		return fmt.Errorf("the API key may not %s in %s at %s (status 403): give it a role that allows this", what, s.product, s.url)
	case http.StatusConflict, http.StatusPreconditionFailed:
		return fmt.Errorf("cannot %s in %s at %s: the name is in use already (status %d); rename or delete what has it", what, s.product, s.url, status)
	}
	if s.reason != "" {
		return fmt.Errorf("cannot %s: %s at %s answers with status %d: %q", what, s.product, s.url, status, s.reason)
	}
	return fmt.Errorf("cannot %s: %s at %s answers with status %d", what, s.product, s.url, status)
}
