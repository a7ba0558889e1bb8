// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package esbulk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/auspex-otel/auspex/internal/excerpt"
)

// Result is the answer to one action.
type Result struct {
	// Status is the HTTP status of the action: 200 and 201 for a written document.
	Status int
	// Type and Reason describe an error; both are empty on success.
	Type, Reason string
}

// ErrAnswer means that an answer does not contain the result of every action.
var ErrAnswer = errors.New("unusable answer to _bulk")

// Filter lists the parts of an answer that ReadResponse requires, for the parameter filter_path.
var Filter = []string{"errors", "items.*.status", "items.*.error.type", "items.*.error.reason", "items.*.error.caused_by.reason"}

const (
	// answerPerAction bounds the kept size of an answer per action, in bytes. Elasticsearch needs
	// about 20 bytes for a success, and some strings for an error.
	answerPerAction = 8 << 10
	// mostAnswer bounds the additional bytes read, for strings that are truncated.
	mostAnswer = 64 << 20
)

// ReadResponse reads the answer to a request of want actions, and returns one result for each, in
// order. If results are missing it returns an error that wraps ErrAnswer and no results, because
// an action without an answer must not count as written.
func ReadResponse(r io.Reader, want int) ([]Result, error) {
	var answer struct {
		Errors *bool  `json:"errors"`
		Items  []item `json:"items"`
	}
	r = io.LimitReader(r, mostAnswer+int64(want)*answerPerAction)
	text, err := io.ReadAll(io.LimitReader(Clip(r), int64(want+1)*answerPerAction))
	if err != nil {
		return nil, fmt.Errorf("%w: the connection broke after %d bytes: %w", ErrAnswer, len(text), err)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("%w: it is not JSON (%w): %q", ErrAnswer, err, excerpt.Of(text))
	}
	if answer.Errors == nil {
		return nil, fmt.Errorf("%w: it has no field errors: %q", ErrAnswer, excerpt.Of(text))
	}
	if len(answer.Items) != want {
		return nil, fmt.Errorf("%w: %d actions were sent and %d answered", ErrAnswer, want, len(answer.Items))
	}
	results := make([]Result, want)
	for i, it := range answer.Items {
		if results[i], err = it.result(); err != nil {
			return nil, fmt.Errorf("%w: item %d %w", ErrAnswer, i, err)
		}
	}
	return results, nil
}

// item maps the operation to its answer.
type item struct {
	Create, Index, Update, Delete *outcome
}

type outcome struct {
	Status int `json:"status"`
	Error  *struct {
		Type     string `json:"type"`
		Reason   string `json:"reason"`
		CausedBy struct {
			Reason string `json:"reason"`
		} `json:"caused_by"`
	} `json:"error"`
}

func (it item) result() (Result, error) {
	for _, o := range []*outcome{it.Create, it.Index, it.Update, it.Delete} {
		if o == nil {
			continue
		}
		if o.Status < 100 || o.Status > 599 {
			return Result{}, fmt.Errorf("has the status %d", o.Status)
		}
		r := Result{Status: o.Status}
		if o.Error != nil {
			r.Type, r.Reason = o.Error.Type, o.Error.Reason
			if cause := o.Error.CausedBy.Reason; cause != "" && !strings.Contains(r.Reason, cause) {
				r.Reason += ": " + cause
			}
		}
		return r, nil
	}
	return Result{}, errors.New("names no operation")
}
