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
	// Status is an HTTP status of its own: 200 and 201 for a document that is written.
	Status int
	// Type and Reason say what was wrong; both are empty if nothing was.
	Type, Reason string
}

// ErrAnswer means that an answer does not tell what became of every action.
var ErrAnswer = errors.New("unusable answer to _bulk")

// Filter lists the parts of an answer that ReadResponse needs, for the parameter filter_path.
var Filter = []string{"errors", "items.*.status", "items.*.error.type", "items.*.error.reason", "items.*.error.caused_by.reason"}

const (
	// answerPerAction bounds how much of an answer is kept. Elasticsearch needs some
	// 20 bytes for a success, and an error has a few strings.
	answerPerAction = 8 << 10
	// mostAnswer is what is read beyond that, for strings that are cut short.
	mostAnswer = 64 << 20
)

// ReadResponse reads the answer to a request of want actions: one result for
// each, in their order. Less than that is an error that wraps ErrAnswer, and no
// result: an action without an answer must not pass for a written document.
func ReadResponse(r io.Reader, want int) ([]Result, error) {
	var answer struct {
		Errors *bool  `json:"errors"`
		Items  []item `json:"items"`
	}
	r = io.LimitReader(r, mostAnswer+int64(want)*answerPerAction)
	text, err := io.ReadAll(io.LimitReader(Clip(r), int64(want+1)*answerPerAction))
	if err != nil {
		return nil, fmt.Errorf("%w: it broke off after %d bytes: %w", ErrAnswer, len(text), err)
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

// item is an answer under the name of its operation.
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
