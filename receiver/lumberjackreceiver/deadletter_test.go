// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/auspex-otel/auspex/internal/deadletter"
	lj "github.com/auspex-otel/auspex/internal/wire/lumberjack/lumberjacktest"
)

func errPermanent(text string) error { return consumererror.NewPermanent(errors.New(text)) }

// dead reads the dead letters in a directory and its subdirectories.
func dead(t *testing.T, dir string) (all []deadletter.Letter) {
	t.Helper()
	damaged, err := deadletter.Read(dir, func(l deadletter.Letter) error { all = append(all, l); return nil })
	require.NoError(t, err)
	assert.Zero(t, damaged)
	return all
}

func TestPermanentErrorBecomesDeadLetters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	next := &pipeline{answer: func(_ context.Context, call int, _ []string) error {
		if call == 1 {
			return errPermanent("a field has the wrong type")
		}
		return nil
	}}
	r := start(t, next, func(c *Config) { c.DeadLetter.Directory = dir; c.Chunk.Items = 2 })
	p := r.dial()
	p.send(lj.Batch(said(0), "{\n\"message\": \"line 1\"\n}", said(2)))
	p.acks("2:2", "2:3")
	assert.Equal(t, bodies(2, 3), next.accepted())
	dead := dead(t, dir)
	require.Len(t, dead, 2)
	assert.JSONEq(t, said(0), string(dead[0].Payload))
	assert.JSONEq(t, said(1), string(dead[1].Payload))
	assert.Contains(t, dead[0].Reason, "a field has the wrong type")
	assert.Equal(t, map[string]string{"peer": p.LocalAddr().String()}, dead[0].Attributes)
	assert.Equal(t, "receivers::"+r.set.ID.String(), dead[0].Component)
	r.counts(2, "lumberjack_dead_letters", letterPermanent)
	r.counts(3, "lumberjack_acknowledged_events")
	r.counts(0, "lumberjack_errors")
	r.counts(0, "lumberjack_dead_letters_discarded")
	r.says("written to the dead letter and acknowledged")
}

func TestNotJSONBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	next := &pipeline{}
	r := start(t, next, func(c *Config) { c.DeadLetter.Directory = dir })
	p := r.dial()
	p.send(lj.Batch(said(0), "{no", "\xff\xfe", `["a"]`, `{} {}`, "", said(1)))
	p.acks("2:7")
	assert.Equal(t, bodies(0, 2), next.accepted())
	dead := dead(t, dir)
	require.Len(t, dead, 5)
	for i, want := range []string{"{no", "\xff\xfe", `["a"]`, "{} {}", ""} {
		assert.Equal(t, want, string(dead[i].Payload))
	}
	for i, want := range []string{"is not JSON: invalid character 'n'", "is not JSON", "is not a JSON object", "text follows its end", "is not JSON: EOF"} {
		assert.Contains(t, dead[i].Reason, want)
	}
	r.counts(5, "lumberjack_dead_letters", letterNotJSON)
	r.counts(0, "lumberjack_dead_letters", letterPermanent)
	r.counts(2, "accepted_log_records")

	p.send(lj.Batch("x"))
	p.acks("2:1")
	assert.Equal(t, 1, next.calls, "nothing to give to the pipeline")
}

// Events that the pipeline rejects with a retryable error do not become dead letters, even next
// to damaged events.
func TestDeadLettersWaitForThePipeline(t *testing.T) {
	t.Parallel()
	next := &pipeline{answer: func(_ context.Context, call int, _ []string) error {
		if call == 1 {
			return errors.New("later")
		}
		return nil
	}}
	dir := t.TempDir()
	r := start(t, next, func(c *Config) { c.DeadLetter.Directory = dir })
	p := r.dial()
	p.send(lj.Batch(said(0), "{no"))
	p.acks("")
	assert.Empty(t, dead(t, dir))
	p = r.dial()
	p.send(lj.Batch(said(0), "{no"))
	p.acks("2:2")
	assert.Len(t, dead(t, dir), 1)
	assert.Equal(t, bodies(0, 1), next.accepted())
}

// Events that cannot be kept are not acknowledged.
func TestDeadLettersThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	never := func(context.Context, int, []string) error { return errPermanent("never") }
	t.Run("no directory", func(t *testing.T) {
		r := start(t, &pipeline{answer: never}, nil)
		p := r.dial()
		p.send(lj.Batch(said(0)))
		p.acks("")
		r.counts(1, "lumberjack_errors", reasonDeadLetter)
		r.counts(0, "lumberjack_acknowledged_events")
		r.says("dead_letter::directory is not set")
	})
	t.Run("a folder that is a file", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(dir, nil, 0o600))
		r := prepare(t, &pipeline{}, func(c *Config) { c.DeadLetter.Directory = dir })
		require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), "dead_letter::directory: cannot write dead letters")
		require.NoError(t, r.Shutdown(t.Context()))
	})
	t.Run("a folder that goes and comes", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "letters")
		r := start(t, &pipeline{answer: never}, func(c *Config) { c.DeadLetter.Directory = dir })
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.WriteFile(dir, nil, 0o600))
		p := r.dial()
		p.send(lj.Batch(said(0)))
		p.acks("")
		require.NoError(t, os.Remove(dir))
		p = r.dial()
		p.send(lj.Batch(said(0)))
		p.acks("2:1")
		assert.Len(t, dead(t, dir), 1)
	})
}

// A full dead letter discards its oldest entries and does not block other events.
func TestFullDeadLetterBlocksNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	next := &pipeline{}
	r := start(t, next, func(c *Config) { c.DeadLetter = deadletter.Config{Directory: dir, MaxBytes: 16 << 10} })
	p := r.dial()
	for i := range 100 {
		p.send(lj.Batch(said(i), "no JSON "+strings.Repeat("x", 500)))
		p.acks("2:2")
	}
	assert.Equal(t, bodies(0, 100), next.accepted())
	r.counts(100, "lumberjack_dead_letters", letterNotJSON)
	kept := len(dead(t, dir))
	assert.Greater(t, kept, 15)
	r.counts(int64(100-kept), "lumberjack_dead_letters_discarded")
	r.says("oldest entries were discarded")
	r.counts(0, "lumberjack_errors")
}
