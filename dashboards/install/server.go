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

// server sends requests to the API of one product.
type server struct {
	product, url, key string
	http              *http.Client
}

// do sends a request with a JSON body, if body is not nil, and decodes the answer of a success into what into points to.
// It returns an error only if there is no usable answer.
func (s *server) do(ctx context.Context, method, path string, body, into any) (status int, err error) {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return 0, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, &text)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if s.key != "" {
		req.Header.Set("Authorization", "Bearer "+s.key)
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
	if into != nil && res.StatusCode == http.StatusOK {
		if err := json.Unmarshal(answer, into); err != nil {
			return 0, fmt.Errorf("%s does not answer like %s: the answer to %s %s is not JSON; check the address", s.url, s.product, method, path)
		}
	}
	return res.StatusCode, nil
}

// refused describes a status that is not a success.
func (s *server) refused(status int, what string) error {
	switch status {
	case http.StatusUnauthorized:
		return fmt.Errorf("%s at %s rejects the API key (status 401): check it, or create a service account with the role Editor", s.product, s.url)
	case http.StatusForbidden:
		return fmt.Errorf("the API key may not %s in %s at %s (status 403): give its service account the role Editor", what, s.product, s.url)
	case http.StatusConflict, http.StatusPreconditionFailed:
		return fmt.Errorf("cannot %s in %s at %s: the name is in use already (status %d); rename or delete what has it", what, s.product, s.url, status)
	default:
		return fmt.Errorf("cannot %s: %s at %s answers with status %d", what, s.product, s.url, status)
	}
}
