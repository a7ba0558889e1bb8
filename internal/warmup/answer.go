// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package warmup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/auspex-otel/auspex/internal/promseries"
)

// rawSeries is a series of an answer, with its samples in the order of time.
type rawSeries struct {
	Labels  map[string]string `json:"metric"`
	Samples rawSamples        `json:"values"`
}

type rawSamples []promseries.Sample

var errNoSamples = errors.New(`samples are not [[seconds, "value"], …]`)

// UnmarshalJSON reads [[seconds, "value"], …]. It is most of the work of a warm
// start, so it reads digits without a detour over tokens; b is valid JSON.
func (s *rawSamples) UnmarshalJSON(b []byte) error {
	if b[0] != '[' {
		return errNoSamples
	}
	*s = make(rawSamples, 0, len(b)/24)
	for i := 1; i < len(b); {
		switch b[i] {
		case '[':
			next, sample, err := readSample(b, i+1)
			if err != nil {
				return err
			}
			*s = append(*s, sample)
			i = next
		case ']', ',', ' ', '\n', '\t', '\r':
			i++
		default:
			return errNoSamples
		}
	}
	return nil
}

// readSample reads what follows a bracket: seconds, "value"]. next is behind the other bracket.
func readSample(b []byte, from int) (next int, s promseries.Sample, err error) {
	comma := from
	for comma < len(b) && b[comma] != ',' {
		comma++
	}
	open := comma
	for ; open < len(b) && b[open] != '"'; open++ {
		if b[open] == ']' {
			return 0, s, errNoSamples
		}
	}
	end := open + 1
	for end < len(b) && b[end] != '"' {
		end++
	}
	if end+1 >= len(b) || b[end+1] != ']' {
		return 0, s, errNoSamples
	}
	seconds, err := strconv.ParseFloat(string(b[from:comma]), 64)
	if err != nil {
		return 0, s, err
	}
	// Prometheus knows whole milliseconds, which a float64 of seconds holds with room to spare.
	s.T = int64(seconds*1000 + 0.5)
	s.V, err = strconv.ParseFloat(string(b[open+1:end]), 64)
	return end + 2, s, err
}

var errStatus = errors.New("it does not say that it succeeded")

// decode reads an answer of the API and calls element at each element of
// data.result, or of data where that is a list itself. It goes through the
// answer once and holds one element at a time.
func decode(r io.Reader, element func(*json.Decoder) error) error {
	d := json.NewDecoder(r)
	succeeded := false
	err := object(d, func(name string) error {
		switch name {
		case "status":
			var status string
			err := d.Decode(&status)
			succeeded = status == "success"
			return err
		case "data":
			return data(d, element)
		default:
			return skip(d)
		}
	})
	if err == nil && !succeeded {
		return errStatus
	}
	return err
}

func data(d *json.Decoder, element func(*json.Decoder) error) error {
	t, err := d.Token()
	switch {
	case err != nil:
		return err
	case t == json.Delim('['):
		return rest(d, element)
	case t != json.Delim('{'):
		return fmt.Errorf("data begins with %v", t)
	}
	return fields(d, func(name string) error {
		switch name {
		case "result":
			t, err := d.Token()
			if err != nil {
				return err
			}
			if t != json.Delim('[') {
				return fmt.Errorf("result begins with %v", t)
			}
			return rest(d, element)
		case "resultType":
			var kind string
			if err := d.Decode(&kind); err != nil {
				return err
			}
			if kind != "matrix" {
				return fmt.Errorf("result is a %s instead of a matrix", kind)
			}
			return nil
		default:
			return skip(d)
		}
	})
}

// object reads an object; field must read the value of each field.
func object(d *json.Decoder, field func(name string) error) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return fmt.Errorf("it begins with %v", t)
	}
	return fields(d, field)
}

// fields reads an object behind its bracket.
func fields(d *json.Decoder, field func(name string) error) error {
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if err := field(name); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// rest reads a list behind its bracket.
func rest(d *json.Decoder, element func(*json.Decoder) error) error {
	for d.More() {
		if err := element(d); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func skip(d *json.Decoder) error {
	var v json.RawMessage
	return d.Decode(&v)
}
