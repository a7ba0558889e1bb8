// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/multierr"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/auspex-otel/auspex/exporter/reliableotlpexporter/internal/metadata"
	"github.com/auspex-otel/auspex/internal/deadletter"
)

// batch returns n log records in two resources. Record number large is enlarged by the given
// bytes.
func batch(n, large, bytes int) plog.Logs {
	ld := plog.NewLogs()
	for part := range 2 {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", fmt.Sprint("shop-", part))
		sl := rl.ScopeLogs().AppendEmpty()
		sl.Scope().SetName("scope")
		for i := part * n / 2; i < (part+1)*n/2; i++ {
			text := fmt.Sprint("record ", i)
			if i == large {
				text += strings.Repeat(" x", bytes/2)
			}
			sl.LogRecords().AppendEmpty().Body().SetStr(text)
		}
	}
	return ld
}

// bodies returns the abbreviated bodies of the records in batches.
func bodies(all ...plog.Logs) (texts []string) {
	for _, ld := range all {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					text, _, _ := strings.Cut(lr.Body().Str(), " x")
					texts = append(texts, text)
				}
			}
		}
	}
	return texts
}

func numbers(from, to int) (texts []string) {
	for i := from; i < to; i++ {
		texts = append(texts, fmt.Sprint("record ", i))
	}
	return texts
}

// rig is a sender whose next hop is a function.
type rig struct {
	*sender[plog.Logs]
	dir  string
	sent []plog.Logs // accepted by the next hop
}

func newRig(t *testing.T, maxBytes int, hop func(plog.Logs) error) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir()}
	cfg := createDefaultConfig().(*Config)
	cfg.MaxRequestBytes, cfg.DeadLetter.Directory = maxBytes, r.dir
	var err error
	r.sender, err = newSender(exportertest.NewNopSettings(metadata.Type), cfg, logs, nopComponent{}, func(_ context.Context, ld plog.Logs) error {
		assert.LessOrEqual(t, logs.size(ld), maxBytes)
		if err := hop(ld); err != nil {
			return err
		}
		r.sent = append(r.sent, ld)
		return nil
	}, consumererror.NewLogs)
	require.NoError(t, err)
	require.NoError(t, r.start(t.Context(), componenttest.NewNopHost()))
	return r
}

type nopComponent struct {
	component.StartFunc
	component.ShutdownFunc
}

// letters returns the dead letters in a directory and its subdirectories.
func letters(t *testing.T, dir string) (all []deadletter.Letter) {
	t.Helper()
	_, err := deadletter.Read(dir, func(l deadletter.Letter) error { all = append(all, l); return nil })
	require.NoError(t, err)
	return all
}

// payload returns the batch in a letter.
func payload(t *testing.T, l deadletter.Letter) plog.Logs {
	t.Helper()
	ld, err := new(plog.JSONUnmarshaler).UnmarshalLogs(l.Payload)
	require.NoError(t, err)
	return ld
}

func accept(plog.Logs) error { return nil }

func TestBatchIsSplitByBytes(t *testing.T) {
	r := newRig(t, 4096, accept)
	require.NoError(t, r.push(t.Context(), batch(1000, -1, 0)))
	assert.Greater(t, len(r.sent), 5)
	assert.Equal(t, numbers(0, 1000), bodies(r.sent...))
	assert.Empty(t, letters(t, r.dir))
}

func TestBatchAtTheLimitIsOneRequest(t *testing.T) {
	ld := batch(100, -1, 0)
	r := newRig(t, logs.size(ld), accept)
	require.NoError(t, r.push(t.Context(), ld))
	assert.Len(t, r.sent, 1)
}

func TestRecordAboveTheLimitCostsNoOther(t *testing.T) {
	r := newRig(t, 4<<20, accept)
	require.NoError(t, r.push(t.Context(), batch(1001, 500, 5<<20)))
	assert.Equal(t, append(numbers(0, 500), numbers(501, 1001)...), bodies(r.sent...))
	all := letters(t, r.dir)
	require.Len(t, all, 1)
	assert.Equal(t, "logs", all[0].Signal)
	assert.Equal(t, 1, all[0].Items)
	assert.Contains(t, all[0].Reason, "max_request_bytes is 4194304")
	assert.Equal(t, []string{"record 500"}, bodies(payload(t, all[0])))
}

func TestAnswersOfTheNextHop(t *testing.T) {
	no := func(code codes.Code) error {
		return consumererror.NewPermanent(status.Error(code, "no"))
	}
	for name, c := range map[string]struct {
		err    error
		letter bool // otherwise the data is sent again
	}{
		"invalid":             {no(codes.InvalidArgument), true},
		"internal":            {no(codes.Internal), true},
		"other":               {consumererror.NewPermanent(errors.New("cannot be marshaled")), true},
		"unavailable":         {status.Error(codes.Unavailable, "later"), false},
		"secret":              {no(codes.Unauthenticated), false},
		"not allowed":         {no(codes.PermissionDenied), false},
		"address":             {no(codes.Unimplemented), false},
		"two targets, no":     {multierr.Append(no(codes.InvalidArgument), no(codes.Internal)), true},
		"two targets, one no": {multierr.Append(no(codes.InvalidArgument), status.Error(codes.Unavailable, "later")), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 4096, func(ld plog.Logs) error {
				if bodies(ld)[0] == "record 0" {
					return nil
				}
				return c.err
			})
			err := r.push(t.Context(), batch(1000, -1, 0))
			first := len(bodies(r.sent...))
			if c.letter {
				require.NoError(t, err)
				var kept []string
				for _, l := range letters(t, r.dir) {
					kept = append(kept, bodies(payload(t, l))...)
				}
				assert.Equal(t, numbers(first, 1000), kept)
				return
			}
			assert.Empty(t, letters(t, r.dir))
			assert.False(t, consumererror.IsPermanent(err), "the queue would delete it")
			var left consumererror.Logs
			require.ErrorAs(t, err, &left)
			assert.Equal(t, numbers(first, 1000), bodies(left.Data()), "what was accepted is not sent again")
		})
	}
}

// The limit of the next hop may be lower than the configured one.
func TestRequestThatIsTooLargeForTheNextHopIsHalved(t *testing.T) {
	for _, err := range []error{
		status.Error(codes.ResourceExhausted, "grpc: received message larger than max"),
		errors.New("error exporting items, request to http://x responded with HTTP Status Code 413"),
	} {
		r := newRig(t, 4<<20, func(ld plog.Logs) error {
			if logs.size(ld) > 2000 {
				return consumererror.NewPermanent(err)
			}
			return nil
		})
		require.NoError(t, r.push(t.Context(), batch(101, 7, 3000)))
		assert.Equal(t, append(numbers(0, 7), numbers(8, 101)...), bodies(r.sent...))
		all := letters(t, r.dir)
		require.Len(t, all, 1)
		assert.Equal(t, []string{"record 7"}, bodies(payload(t, all[0])))
	}
}

func TestDeadLetterThatCannotBeWritten(t *testing.T) {
	r := newRig(t, 4096, accept)
	folder := r.letters.Folder()
	require.NoError(t, os.RemoveAll(folder))
	require.NoError(t, os.WriteFile(folder, nil, 0o600))
	err := r.push(t.Context(), batch(10, 4, 5000))
	require.ErrorContains(t, err, "dead letter")
	assert.False(t, consumererror.IsPermanent(err))
	var left consumererror.Logs
	require.ErrorAs(t, err, &left)
	require.NoError(t, os.Remove(folder))
	require.NoError(t, r.push(t.Context(), left.Data()))
	assert.Equal(t, append(numbers(0, 4), numbers(5, 10)...), bodies(r.sent...))
	assert.Len(t, letters(t, r.dir), 1)

	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "file"), nil, 0o600))
	r.cfg.DeadLetter.Directory = filepath.Join(r.dir, "file")
	r.letters = deadletter.New(r.cfg.DeadLetter, component.KindExporter, r.set.ID, r.set.Logger)
	require.ErrorContains(t, r.start(t.Context(), componenttest.NewNopHost()), "dead_letter::directory: cannot write dead letters")
}

func TestWithoutDeadLetterTheSenderIsTold(t *testing.T) {
	r := newRig(t, 4096, accept)
	r.letters = nil
	err := r.push(t.Context(), batch(10, 4, 5000))
	assert.True(t, consumererror.IsPermanent(err))
	require.ErrorContains(t, err, "max_request_bytes is 4096")
	assert.Equal(t, append(numbers(0, 4), numbers(5, 10)...), bodies(r.sent...))
}
