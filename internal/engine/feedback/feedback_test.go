// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package feedback

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/state"
)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// again writes a set and reads it into an empty one.
func again(s *Set) error {
	w := state.Writer(nil)
	s.Persist(w)
	r := state.Reader(w.Bytes())
	if err := (&Set{}).Restore(r); err != nil {
		return err
	}
	return r.End()
}

func TestDamagedFeedbackIsRefused(t *testing.T) {
	good := func() *Set {
		f := Feedback{Kind: Silence, Target: Target{Service: "s"}, Who: "a", Why: "b", At: start, Expires: start.Add(time.Hour)}
		f.ID = "0123456789abcdef"
		return &Set{inForce: []Feedback{f}, audit: []Audit{{Who: "a", Action: "add", Feedback: f}}}
	}
	for name, change := range map[string]func(f *Set){
		"without a name":    func(f *Set) { f.inForce[0].Target = Target{} },
		"without an id":     func(f *Set) { f.inForce[0].ID = "" },
		"unknown kind":      func(f *Set) { f.inForce[0].Kind = "x" },
		"without an end":    func(f *Set) { f.inForce[0].Expires = time.Time{} },
		"with a far end":    func(f *Set) { f.inForce[0].Expires = start.Add(maxDuration + 1) },
		"too many silences": func(f *Set) { f.inForce = slices.Repeat(f.inForce, maxFeedback+1) },
		"too many audits":   func(f *Set) { f.audit = slices.Repeat(f.audit, maxAudit+1) },
	} {
		t.Run(name, func(t *testing.T) {
			f := good()
			require.NoError(t, again(f))
			change(f)
			require.ErrorIs(t, again(f), state.Error)
		})
	}
}

func TestSetSaysWhatIsInForce(t *testing.T) {
	var s Set
	f := Feedback{Kind: Silence, Target: Target{Service: "s"}, Who: "a", Why: "b", Expires: start.Add(time.Hour)}
	first, added, err := s.Add(f, start)
	require.NoError(t, err)
	assert.True(t, added)
	_, added, err = s.Add(f, start)
	require.NoError(t, err)
	assert.False(t, added, "the same feedback is in effect already")

	named := func(service string) func(*Target) bool { return func(of *Target) bool { return of.Service == service } }
	assert.True(t, s.Any(start.UnixNano(), named("s")))
	assert.False(t, s.Any(start.UnixNano(), named("t")))
	assert.False(t, s.Any(f.Expires.UnixNano(), named("s")), "the feedback has expired")
	_, err = s.Remove("x", "a", start)
	require.ErrorIs(t, err, ErrUnknown)
	_, err = s.Remove(first.ID, "a", start)
	require.NoError(t, err)
	assert.Empty(t, s.View().Silences)
	assert.Len(t, s.View().Audit, 2, "audit entries are kept")
	assert.False(t, s.Empty())
}

// TestAnswerHasTheExpiryInEffect verifies that adding the same feedback twice returns the expiry in effect, and that
// all feedback expires.
func TestAnswerHasTheExpiryInEffect(t *testing.T) {
	var s Set
	f := Feedback{Kind: Silence, Target: Target{Service: "s"}, Who: "a", Why: "b", Expires: start.Add(time.Hour)}
	first, _, err := s.Add(f, start)
	require.NoError(t, err)
	f.Expires = start.Add(2 * time.Hour)
	second, added, err := s.Add(f, start)
	require.NoError(t, err)
	assert.False(t, added)
	assert.Equal(t, first, second)
	assert.Equal(t, []Feedback{second}, s.View().Silences)

	f.Expires = start.Add(maxDuration + time.Second)
	_, _, err = s.Add(f, start.Add(time.Second))
	require.NoError(t, err)
	_, _, err = s.Add(f, start)
	require.ErrorContains(t, err, "must be within 366 days")
}
