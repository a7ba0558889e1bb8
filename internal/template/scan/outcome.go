// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import "strings"

// Outcome is the set of outcomes that a text states. Words for success and words for failure
// never become one template, whether in text, in quotes, or after a key.
type Outcome uint8

// The outcomes. Keys of families contain their values.
const (
	Neutral Outcome = 0
	Good    Outcome = 1 // success
	Bad     Outcome = 2 // failure
)

// maxOutcome is the maximum length of the listed words.
const maxOutcome = 12

// OutcomeOf returns the outcome that a word states, in any case.
func OutcomeOf(text string) Outcome {
	if len(text) < 2 || len(text) > maxOutcome {
		return Neutral
	}
	var b [maxOutcome]byte
	for i := range len(text) {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c < 'a' || c > 'z' {
			return Neutral
		}
		b[i] = c
	}
	switch string(b[:len(text)]) {
	case "success", "successful", "successfully", "succeeded", "ok", "passed", "accepted", "accept", "allowed", "allow", "granted", "permitted",
		"permit", "approved", "up", "started", "enabled", "opened", "connected", "online", "available", "healthy", "ready", "valid", "resumed", "completed":
		return Good
	case "fail", "failed", "failure", "fails", "failing", "error", "rejected", "reject", "denied", "deny", "refused", "blocked", "block", "dropped", "forbidden",
		"unauthorized", "declined", "down", "stopped", "disabled", "closed", "disconnected", "offline", "unavailable", "unhealthy", "invalid", "aborted",
		"crashed", "killed", "timeout", "lost", "paused", "cancelled", "canceled", "terminated", "not", "cannot", "unable", "unsuccessful", "expired":
		return Bad
	}
	return Neutral
}

// OutcomesIn returns the outcomes that a text states, as a set.
func OutcomesIn(text string) (set Outcome) {
	for i := 0; i < len(text); {
		j := i
		for j < len(text) && classes[text[j]]&alpha != 0 {
			j++
		}
		if j > i {
			set |= OutcomeOf(text[i:j])
		}
		i = j + 1
	}
	return set
}

// isOutcome reports whether a value states an outcome.
func isOutcome(text string) bool {
	for text != "" && strings.IndexByte(".!,;", text[len(text)-1]) >= 0 {
		text = text[:len(text)-1]
	}
	return OutcomeOf(text) != Neutral
}
