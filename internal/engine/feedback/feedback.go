// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package feedback

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Kind is the kind of feedback: silence or normal.
type Kind string

const (
	// Silence prevents the target from opening anomalies until it expires.
	Silence Kind = "silence"
	// Normal does the same, and makes the models of anomalous series of the target learn the present values.
	Normal Kind = "normal"
)

const (
	// maxFeedback bounds the feedback in effect at once, maxAudit the entries of the audit list.
	maxFeedback, maxAudit = 1000, 1000
	// maxDuration bounds the duration of feedback.
	maxDuration = 366 * 24 * time.Hour
	// maxFeedbackText bounds each text, in bytes.
	maxFeedbackText = 512
	// engineItself is the author of audit entries for actions of the engine.
	engineItself = "otelcol-auspex"
)

// ErrUnknown is returned if no feedback has the id.
var ErrUnknown = errors.New("no silence has this id")

// Target selects the series that match all of its nonempty fields.
type Target struct {
	// Series and Template are identities: 16 hexadecimal digits.
	Series   string `json:"series,omitempty"`
	Template string `json:"template,omitempty"`
	// Operation is the name of spans.
	Operation string `json:"operation,omitempty"`
	Service   string `json:"service,omitempty"`
}

// Feedback is a user's statement about a target until it expires. Its JSON form is that of the console's API.
type Feedback struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	Target
	Who string `json:"who"`
	Why string `json:"why"`
	// At is the time of the feedback by the clock of ticks. It applies to points with event times before Expires.
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires"`
}

// Audit is an entry of the audit list.
type Audit struct {
	Time time.Time `json:"time"`
	Who  string    `json:"who"`
	// Action is add, remove, or expire.
	Action   string   `json:"action"`
	Feedback Feedback `json:"feedback"`
}

// View lists the feedback in effect, in the order of adding, and the audit entries, latest first.
type View struct {
	Silences []Feedback `json:"silences"`
	Audit    []Audit    `json:"audit"`
}

var hexID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// check returns an error for the first invalid field.
func (f *Feedback) check(now time.Time) error {
	switch {
	case f.Kind != Silence && f.Kind != Normal:
		return fmt.Errorf("kind is %q; must be silence or normal", f.Kind)
	case f.Target == Target{}:
		return errors.New("the target is empty: set at least one of series, template, operation, and service")
	case f.Series != "" && !hexID.MatchString(f.Series), f.Template != "" && !hexID.MatchString(f.Template):
		return errors.New("series and template must be identities of 16 hexadecimal digits")
	case strings.TrimSpace(f.Who) == "" || strings.TrimSpace(f.Why) == "":
		return errors.New("who and why must not be empty")
	case max(len(f.Operation), len(f.Service), len(f.Who), len(f.Why)) > maxFeedbackText:
		return fmt.Errorf("a text is too long: at most %d bytes are accepted", maxFeedbackText)
	case !f.Expires.After(now):
		return fmt.Errorf("expires is %s; must be in the future", f.Expires.Format(time.RFC3339))
	case f.Expires.After(f.At.Add(maxDuration)):
		return fmt.Errorf("expires is %s; must be within %d days", f.Expires.Format(time.RFC3339), int(maxDuration.Hours()/24))
	}
	return nil
}
