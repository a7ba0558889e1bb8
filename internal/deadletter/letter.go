// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Letter is data that can never be delivered, with the reason. It is one line of a segment.
type Letter struct {
	// Time is the time when the letter was written.
	Time time.Time `json:"time"`
	// Component is the receiver or exporter that wrote it, such as exporters::elasticsearch/logs.
	Component string `json:"component"`
	// Signal is logs, metrics, or traces, or empty if the data was not recognized.
	Signal string `json:"signal,omitempty"`
	// Items is the number of events, documents, or samples in the payload.
	Items int `json:"items"`
	// Reason is the error of the next hop, or the fault of the data.
	Reason string `json:"reason"`
	// Attributes hold the values that are required to send the payload again, and the client that
	// sent it.
	Attributes map[string]string `json:"attributes,omitempty"`
	// Payload is the data as received, or as prepared for sending.
	Payload Payload `json:"payload,omitzero"`
	// OmittedBytes is the size of a payload that exceeds the limit of the folder and was omitted.
	OmittedBytes int `json:"payload_omitted_bytes,omitempty"`
}

// Payload is encoded as JSON if it is JSON, else as text if it is UTF-8, else as base64.
type Payload []byte

// IsZero reports whether there is no payload.
func (p Payload) IsZero() bool { return p == nil }

// payload has exactly one of its fields.
type payload struct {
	JSON   json.RawMessage `json:"json,omitempty"`
	Text   *string         `json:"text,omitempty"`
	Base64 *[]byte         `json:"base64,omitempty"`
}

// MarshalJSON returns an object with one key, which is the encoding.
func (p Payload) MarshalJSON() ([]byte, error) {
	var form payload
	switch bytes := []byte(p); {
	case json.Valid(bytes):
		form.JSON = bytes
	case utf8.Valid(bytes):
		text := string(bytes)
		form.Text = &text
	default:
		form.Base64 = &bytes
	}
	return encode(form)
}

// UnmarshalJSON parses the result of MarshalJSON.
func (p *Payload) UnmarshalJSON(b []byte) error {
	var form payload
	if err := json.Unmarshal(b, &form); err != nil {
		return err
	}
	switch {
	case form.JSON != nil:
		*p = Payload(form.JSON)
	case form.Text != nil:
		*p = Payload(*form.Text)
	case form.Base64 != nil:
		*p = *form.Base64
	default:
		return errors.New("the payload has none of json, text, and base64")
	}
	return nil
}

// line returns the letter as a line of at most limit bytes, without its payload if that is too
// large.
func (l Letter) line(limit int64) (line []byte, omitted bool, err error) {
	if line, err = encode(l); err != nil || int64(len(line)) <= limit {
		return line, false, err
	}
	l.OmittedBytes, l.Payload = len(l.Payload), nil
	if line, err = encode(l); err == nil && int64(len(line)) > limit {
		err = fmt.Errorf("a letter without its payload has %d bytes, dead_letter::max_bytes is %d: increase it", len(line), limit)
	}
	return line, true, err
}

// encode returns a value as JSON with a trailing newline, without escaping <, >, and &.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}
