// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"

	"github.com/auspex-otel/auspex/internal/deadletter"
)

const deadLetterFile = "dead-letters.jsonl"

// errNoDirectory says that nothing may be given up.
var errNoDirectory = errors.New("dead_letter::directory is not set")

// letter is one line of the dead-letter file.
type letter struct {
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`
	Peer   string    `json:"peer"`
	// One of these is the event: as it was if it is JSON, else as text, else as base64.
	Event  json.RawMessage `json:"event,omitempty"`
	Text   string          `json:"event_text,omitempty"`
	Base64 []byte          `json:"event_base64,omitempty"`
}

func newLetter(at time.Time, reason, peer string, event []byte) letter {
	l := letter{Time: at.UTC(), Reason: reason, Peer: peer}
	switch {
	case json.Valid(event):
		l.Event = event
	case utf8.Valid(event):
		l.Text = string(event)
	default:
		l.Base64 = event
	}
	return l
}

// deadLetters is the file of events that can never be delivered, if there is one.
type deadLetters struct {
	file *deadletter.File // nil: dead_letter::directory is not set
}

// newDeadLetters takes the folder of one component under the configured directory.
func newDeadLetters(cfg DeadLetterConfig, id component.ID) deadLetters {
	if cfg.Directory == "" {
		return deadLetters{}
	}
	return deadLetters{deadletter.New(filepath.Join(deadletter.Folder(cfg.Directory, "receiver", id.String()), deadLetterFile), cfg.MaxBytes)}
}

func (d deadLetters) path() string { return d.file.Path() }

// prepare makes the file, and fails if it cannot be written.
func (d deadLetters) prepare() error {
	if d.file == nil {
		return nil
	}
	return d.file.Prepare()
}

// room fails if so many bytes of events could not be written now.
func (d deadLetters) room(bytes, events int) error {
	if d.file == nil {
		return errNoDirectory
	}
	return d.file.Room(bytes, events)
}

// write appends letters, all or none, and returns when they are on disk.
func (d deadLetters) write(letters []letter) error {
	if d.file == nil {
		return errNoDirectory
	}
	return deadletter.Append(d.file, letters)
}
