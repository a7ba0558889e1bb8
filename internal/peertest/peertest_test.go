// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder is a TB that is expected to fail: Fatalf ends the call.
type recorder struct {
	*testing.T
	failure string
}

var errFatal = errors.New("fatal")

func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	panic(errFatal)
}

// failing runs f, which must fail, and returns its message.
func failing(t *testing.T, f func(TB)) string {
	t.Helper()
	r := &recorder{T: t}
	func() {
		defer func() { require.Equal(t, errFatal, recover(), "it does not fail") }()
		f(r)
	}()
	return r.failure
}

func TestAnswerKeepsLabelsTimesAndValues(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 125e6, time.UTC)
	for name, test := range map[string]struct {
		raw  string
		want []Series
	}{
		"vector": {
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1795341600.125,"0.1"]}]}}`,
			[]Series{{Labels: map[string]string{"a": "b"}, Samples: []Sample{{at, 0.1}}}},
		},
		"matrix": {
			`{"data":{"resultType":"matrix","result":[{"metric":{},"values":[[1795341600.125,"1"],[1795341601.125,"+Inf"]]}]}}`,
			[]Series{{Labels: map[string]string{}, Samples: []Sample{{at, 1}, {at.Add(time.Second), math.Inf(1)}}}},
		},
		"scalar": {`{"data":{"resultType":"scalar","result":[1795341600.125,"7"]}}`, []Series{{Samples: []Sample{{at, 7}}}}},
		"empty":  {`{"data":{"resultType":"vector","result":[]}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := Answer{Raw: []byte(test.raw)}
			require.NoError(t, a.parse())
			assert.Equal(t, test.want, a.Series)
		})
	}
	for _, raw := range []string{"", "[]", `{"data":{"resultType":"vector","result":[{"value":["x","1"]}]}}`, `{"data":{"resultType":"scalar","result":[1,"x"]}}`} {
		a := Answer{Raw: []byte(raw)}
		assert.Error(t, a.parse(), "%q", raw)
	}
}

func TestAddressesAreFreeAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range FreeAddresses(t, 20) {
		assert.False(t, seen[a], a)
		seen[a] = true
		l, err := net.Listen("tcp", a)
		require.NoError(t, err)
		require.NoError(t, l.Close())
	}
}

func TestEventuallySaysWhatItWaitedFor(t *testing.T) {
	said := failing(t, func(tb TB) {
		Eventually(tb, 60*time.Millisecond, "the moon", func() error { return errors.New("clouds") })
	})
	assert.Equal(t, "waited 60ms for the moon: clouds", said)
	tries := 0
	Eventually(t, time.Minute, "the third try", func() error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	})
}

func TestProcessWritesItsLogAndEnds(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p := Program{Name: "sh", Path: "/bin/sh", Args: []string{"-c", `echo "$WORD"; trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done`}, Env: []string{"WORD=hello"}, Log: log}.Start(t)
	Eventually(t, 10*time.Second, "its output", func() error {
		if !strings.Contains(p.Log(), "hello") {
			return errors.New(p.Log())
		}
		return nil
	})
	assert.True(t, p.Running())
	p.Stop()
	assert.False(t, p.Running())
	assert.Equal(t, "hello\nbye\n", p.Log())
	p.Stop()
}

// The children of a program end with it: the child below would write to the file without end.
func TestKillEndsTheWholeGroup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "beat")
	p := Program{Name: "sh", Path: "/bin/sh", Args: []string{"-c", `while :; do echo x >> "$0"; sleep 0.02; done & wait`, file}, Log: file + ".log"}.Start(t)
	Eventually(t, 10*time.Second, "the child", func() error {
		_, err := os.Stat(file)
		return err
	})
	p.Kill()
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	time.Sleep(200 * time.Millisecond)
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Len(t, after, len(before))
	assert.False(t, p.Running())
}

func TestRun(t *testing.T) {
	output, err := Run(t.Context(), t, []string{"WORD=hello"}, "/bin/sh", "-c", `echo "$WORD"; echo no >&2; exit 3`)
	assert.EqualError(t, err, "exit status 3")
	assert.Equal(t, "hello\nno\n", output)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = Run(ctx, t, nil, "/bin/sh", "-c", "sleep 60")
	assert.ErrorIs(t, err, context.DeadlineExceeded)

	_, err = Run(t.Context(), t, nil, filepath.Join(t.TempDir(), "missing"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestEarlyEndIsSaidWithTheLog(t *testing.T) {
	said := failing(t, func(tb TB) {
		p := Program{Name: "the program", Path: "/bin/sh", Args: []string{"-c", "echo no room; exit 3"}, Log: filepath.Join(t.TempDir(), "log")}.Start(tb)
		p.WaitReady("http://127.0.0.1:1/")
	})
	assert.Contains(t, said, "the program exited unexpectedly (exit status 3)")
	assert.Contains(t, said, "no room")
}

func TestMissingProgramsAreNamedWithTheRemedy(t *testing.T) {
	t.Setenv("AUSPEX_CACHE", t.TempDir())
	assert.Contains(t, failing(t, func(tb TB) { StartPrometheus(tb, PrometheusOptions{}) }), "run scripts/peers.sh prometheus")
	t.Setenv("AUSPEX_E2E_COLLECTOR", filepath.Join(t.TempDir(), "none"))
	assert.Contains(t, failing(t, func(tb TB) { CollectorProgram(tb) }), "run make build")
}

// The script installs the version that this package uses.
func TestPrometheusIsTheOneThatTheScriptInstalls(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(Root(t), "scripts", "peers.sh"))
	require.NoError(t, err)
	assert.Contains(t, string(script), "prometheus_version="+strings.TrimPrefix(prometheusFolder, "prometheus-"))
}
