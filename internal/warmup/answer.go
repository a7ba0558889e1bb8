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

// rawSeries is a series of an answer, with its samples in order of time.
type rawSeries struct {
	Labels  map[string]string `json:"metric"`
	Samples rawSamples        `json:"values"`
}

type rawSamples []promseries.Sample

var errNoSamples = errors.New(`samples are not [[seconds, "value"], …]`)

// UnmarshalJSON parses [[seconds, "value"], …]. b is valid JSON. It takes most of the time of a
// warm start, so it parses digits directly.
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

// readSample parses the part after an opening bracket: seconds, "value"]. next is the position
// after the closing bracket.
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
	// Prometheus has whole milliseconds, which a float64 of seconds represents exactly enough.
	s.T = int64(seconds*1000 + 0.5)
	s.V, err = strconv.ParseFloat(string(b[open+1:end]), 64)
	return end + 2, s, err
}

var errStatus = errors.New("the status of the answer is not success")

// decode parses an answer of the API and calls element for each element of data.result, or of
// data if that is a list. It holds one element at a time.
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
		return fmt.Errorf("data begins with %v, expected an object or a list", t)
	}
	return fields(d, func(name string) error {
		switch name {
		case "result":
			t, err := d.Token()
			if err != nil {
				return err
			}
			if t != json.Delim('[') {
				return fmt.Errorf("result begins with %v, expected a list", t)
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

// object parses an object; field must read the value of each field.
func object(d *json.Decoder, field func(name string) error) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return fmt.Errorf("the answer begins with %v, expected an object", t)
	}
	return fields(d, field)
}

// fields parses an object after its opening bracket.
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

// rest parses a list after its opening bracket.
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
