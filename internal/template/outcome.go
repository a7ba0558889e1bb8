// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import "strings"

// outcome says whether a word states that something is well or is not. Words of one kind and of the other never become
// one template, whether they stand in text, in quotes, or behind a key.
type outcome uint8

const (
	neutral outcome = 0
	good    outcome = 1
	bad     outcome = 2
)

// maxOutcome is the length of the longest word of the lists.
const maxOutcome = 12

// outcomeOf looks a word up, in any case.
func outcomeOf(text string) outcome {
	if len(text) < 2 || len(text) > maxOutcome {
		return neutral
	}
	var b [maxOutcome]byte
	for i := range len(text) {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c < 'a' || c > 'z' {
			return neutral
		}
		b[i] = c
	}
	switch string(b[:len(text)]) {
	case "success", "successful", "successfully", "succeeded", "ok", "passed", "accepted", "accept", "allowed", "allow", "granted", "permitted",
		"permit", "approved", "up", "started", "enabled", "opened", "connected", "online", "available", "healthy", "ready", "valid", "resumed", "completed":
		return good
	case "fail", "failed", "failure", "fails", "failing", "error", "rejected", "reject", "denied", "deny", "refused", "blocked", "block", "dropped", "forbidden",
		"unauthorized", "declined", "down", "stopped", "disabled", "closed", "disconnected", "offline", "unavailable", "unhealthy", "invalid", "aborted",
		"crashed", "killed", "timeout", "lost", "paused", "cancelled", "canceled", "terminated", "not", "cannot", "unable", "unsuccessful", "expired":
		return bad
	}
	return neutral
}

// outcomesIn returns the outcomes that a text states, as a set.
func outcomesIn(text string) (set outcome) {
	for i := 0; i < len(text); {
		j := i
		for j < len(text) && classes[text[j]]&alpha != 0 {
			j++
		}
		if j > i {
			set |= outcomeOf(text[i:j])
		}
		i = j + 1
	}
	return set
}

// isOutcome tells a value that states an outcome.
func isOutcome(text string) bool {
	for text != "" && strings.IndexByte(".!,;", text[len(text)-1]) >= 0 {
		text = text[:len(text)-1]
	}
	return outcomeOf(text) != neutral
}
