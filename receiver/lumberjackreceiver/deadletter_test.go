// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"

	lj "github.com/auspex-otel/auspex/internal/wire/lumberjack/lumberjacktest"
)

func errPermanent(text string) error { return consumererror.NewPermanent(errors.New(text)) }

// letters reads the dead-letter file.
func (r *running) dead() (all []letter) {
	r.Helper()
	f, err := os.Open(r.server.letters.path())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(r, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var l letter
		require.NoError(r, json.Unmarshal(lines.Bytes(), &l), lines.Text())
		all = append(all, l)
	}
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
	r := start(t, next, func(c *Config) { c.DeadLetter.Directory = dir; c.Part.Events = 2 })
	p := r.dial()
	p.send(lj.Batch(said(0), "{\n\"message\": \"line 1\"\n}", said(2)))
	p.acks("2:2", "2:3")
	assert.Equal(t, bodies(2, 3), next.accepted())
	dead := r.dead()
	require.Len(t, dead, 2)
	assert.JSONEq(t, said(0), string(dead[0].Event))
	assert.JSONEq(t, said(1), string(dead[1].Event))
	assert.Contains(t, dead[0].Reason, "a field has the wrong type")
	assert.Equal(t, p.LocalAddr().String(), dead[0].Peer)
	assert.False(t, dead[0].Time.IsZero())
	r.counts(2, "lumberjack_dead_letters", letterRefused)
	r.counts(3, "lumberjack_acknowledged_events")
	r.counts(0, "lumberjack_errors")
	r.says("written to the dead-letter file and acknowledged")
	assert.Equal(t, filepath.Join(dir, "receiver_"+r.set.ID.Type().String()+"_"+r.set.ID.Name(), "dead-letters.jsonl"), r.server.letters.path())
}

func TestNotJSONBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, func(c *Config) { c.DeadLetter.Directory = t.TempDir() })
	p := r.dial()
	p.send(lj.Batch(said(0), "{no", "\xff\xfe", `["a"]`, `{} {}`, "", said(1)))
	p.acks("2:7")
	assert.Equal(t, bodies(0, 2), next.accepted())
	dead := r.dead()
	require.Len(t, dead, 5)
	assert.Equal(t, "{no", dead[0].Text)
	assert.Equal(t, []byte("\xff\xfe"), dead[1].Base64)
	assert.JSONEq(t, `["a"]`, string(dead[2].Event))
	assert.Equal(t, "{} {}", dead[3].Text)
	for i, want := range []string{"is not JSON: invalid character 'n'", "is not JSON", "is not a JSON object", "something follows its end", "is not JSON: EOF"} {
		assert.Contains(t, dead[i].Reason, want)
	}
	r.counts(5, "lumberjack_dead_letters", letterNotJSON)
	r.counts(0, "lumberjack_dead_letters", letterRefused)
	r.counts(2, "accepted_log_records")

	p.send(lj.Batch("x"))
	p.acks("2:1")
	assert.Equal(t, 1, next.calls, "nothing to give to the pipeline")
}

// What the pipeline refuses for now is not given up, whatever else is in the part.
func TestDeadLettersWaitForThePipeline(t *testing.T) {
	t.Parallel()
	next := &pipeline{answer: func(_ context.Context, call int, _ []string) error {
		if call == 1 {
			return errors.New("later")
		}
		return nil
	}}
	r := start(t, next, func(c *Config) { c.DeadLetter.Directory = t.TempDir() })
	p := r.dial()
	p.send(lj.Batch(said(0), "{no"))
	p.acks("")
	assert.Empty(t, r.dead())
	p = r.dial()
	p.send(lj.Batch(said(0), "{no"))
	p.acks("2:2")
	assert.Len(t, r.dead(), 1)
	assert.Equal(t, bodies(0, 1), next.accepted())
}

// What cannot be kept is not acknowledged.
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
	t.Run("full, until somebody moves it away", func(t *testing.T) {
		dir := t.TempDir()
		r := start(t, &pipeline{answer: never}, func(c *Config) { c.DeadLetter = DeadLetterConfig{Directory: dir, MaxBytes: 300} })
		p := r.dial()
		p.send(lj.Batch(said(0)))
		p.acks("2:1")
		p.send(lj.Batch(said(1), said(2)))
		p.acks("")
		require.Len(t, r.dead(), 1, "all of a part or nothing")
		r.says("is full: it has ")
		require.NoError(t, os.Rename(r.server.letters.path(), filepath.Join(dir, "moved")))
		p = r.dial()
		p.send(lj.Batch(said(1)))
		p.acks("2:1")
		require.Len(t, r.dead(), 1)
	})
	t.Run("full, and an event that is not JSON", func(t *testing.T) {
		next := &pipeline{}
		r := start(t, next, func(c *Config) { c.DeadLetter = DeadLetterConfig{Directory: t.TempDir(), MaxBytes: 300} })
		p := r.dial()
		p.send(lj.Batch(said(0), "{no"))
		p.acks("")
		assert.Zero(t, next.calls, "else each try would repeat the others")
	})
	t.Run("a folder that is a file", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(dir, nil, 0o600))
		r := prepare(t, &pipeline{}, func(c *Config) { c.DeadLetter.Directory = dir })
		require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), "dead_letter::directory: dead letters cannot be written")
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
		assert.Len(t, r.dead(), 1)
	})
}

// A crash in the midst of a line spoils that line only.
func TestDeadLettersAfterATornLine(t *testing.T) {
	t.Parallel()
	d := newDeadLetters(DeadLetterConfig{Directory: t.TempDir(), MaxBytes: 1000}, component.MustNewIDWithName("lumberjack", "a/b"))
	assert.Equal(t, "receiver_lumberjack_a_b", filepath.Base(filepath.Dir(d.path())))
	require.NoError(t, d.prepare())
	require.NoError(t, os.WriteFile(d.path(), []byte(`{"time":"20`), 0o600))
	require.NoError(t, d.write([]letter{newLetter(time0, "why", "who", []byte("<&>"))}))
	b, err := os.ReadFile(d.path())
	require.NoError(t, err)
	assert.Equal(t, []string{`{"time":"20`, `{"time":"2026-05-04T12:00:00Z","reason":"why","peer":"who","event_text":"<&>"}`, ""}, strings.Split(string(b), "\n"))
	info, err := os.Stat(d.path())
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
