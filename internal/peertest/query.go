// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Answer is the response of Prometheus to a query.
type Answer struct {
	// Raw is the response body.
	Raw []byte
	// Series are the results. An instant vector has one sample in each. A scalar is one series
	// without labels.
	Series []Series
}

// Series is one result: its labels, with the metric name under __name__, and its samples in order
// of time.
type Series struct {
	Labels  map[string]string
	Samples []Sample
}

// Sample is a value at a time.
type Sample struct {
	Time  time.Time
	Value float64
}

// Query evaluates an expression at one time. A range selector such as name[5m] returns the
// samples as they were written.
func (p *Prometheus) Query(ctx context.Context, expr string, at time.Time) (Answer, error) {
	return p.ask(ctx, "/api/v1/query", url.Values{"query": {expr}, "time": {stamp(at)}})
}

func stamp(t time.Time) string {
	return strconv.FormatInt(t.Unix(), 10) + fmt.Sprintf(".%03d", t.Nanosecond()/1e6)
}

func (p *Prometheus) ask(ctx context.Context, path string, q url.Values) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path+"?"+q.Encode(), http.NoBody)
	if err != nil {
		return Answer{}, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("no answer from Prometheus to %q: %w", q.Get("query"), err)
	}
	defer res.Body.Close()
	a := Answer{}
	if a.Raw, err = io.ReadAll(res.Body); err != nil {
		return a, fmt.Errorf("answer to %q: %w", q.Get("query"), err)
	}
	if res.StatusCode != http.StatusOK {
		return a, fmt.Errorf("Prometheus answered %s to %q: %s", res.Status, q.Get("query"), a.Raw)
	}
	return a, a.parse()
}

// body is the JSON of a response.
type body struct {
	Data struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// result is one series of a vector or a matrix.
type result struct {
	Metric map[string]string `json:"metric"`
	Value  *pair             `json:"value"`
	Values []pair            `json:"values"`
}

// pair is a sample: seconds since 1970, and the value as text.
type pair Sample

// UnmarshalJSON parses [seconds, "value"].
func (s *pair) UnmarshalJSON(b []byte) error {
	var seconds json.Number
	var text string
	if err := json.Unmarshal(b, &[]any{&seconds, &text}); err != nil {
		return err
	}
	t, err := seconds.Float64()
	if err != nil {
		return err
	}
	// Prometheus has whole milliseconds, which a float64 of seconds represents exactly enough.
	s.Time = time.UnixMilli(int64(t*1000 + 0.5)).UTC()
	s.Value, err = strconv.ParseFloat(text, 64)
	return err
}

// parse parses Raw into Series.
func (a *Answer) parse() error {
	var b body
	if err := json.Unmarshal(a.Raw, &b); err != nil {
		return fmt.Errorf("answer of Prometheus: %w", err)
	}
	if b.Data.ResultType == "scalar" {
		var s pair
		if err := json.Unmarshal(b.Data.Result, &s); err != nil {
			return fmt.Errorf("answer of Prometheus: %w", err)
		}
		a.Series = []Series{{Samples: []Sample{Sample(s)}}}
		return nil
	}
	var results []result
	if err := json.Unmarshal(b.Data.Result, &results); err != nil {
		return fmt.Errorf("answer of Prometheus: %w", err)
	}
	for _, r := range results {
		s := Series{Labels: r.Metric}
		if r.Value != nil {
			r.Values = append(r.Values, *r.Value)
		}
		for _, v := range r.Values {
			s.Samples = append(s.Samples, Sample(v))
		}
		a.Series = append(a.Series, s)
	}
	return nil
}
