// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/auspex-otel/auspex/internal/golden"
)

const table = "../testdata/table.txt"

func TestTable(t *testing.T) {
	golden.Files(t, table, func(t *testing.T, text string) string {
		t.Helper()
		for name := range functions {
			assert.Greater(t, strings.Count(text, "\n"+name+" "), 200, name)
		}
		got, err := compute(text)
		require.NoError(t, err)
		return got
	})
}

// WebAssembly has neither assembly nor fused operations, so that it is a second processor on every machine.
func TestSameBitsInWebAssembly(t *testing.T) {
	program := filepath.Join(t.TempDir(), "probe.wasm")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))

	text, err := os.ReadFile(table)
	require.NoError(t, err)
	var want bytes.Buffer
	require.NoError(t, run(bytes.NewReader(text), &want))
	assert.Equal(t, want.String(), runWASM(t, program, text))
}

func TestTheDigestDependsOnTheJudgments(t *testing.T) {
	first, err := judgments()
	require.NoError(t, err)
	again, err := judgments()
	require.NoError(t, err)
	assert.Equal(t, first, again)
	assert.Len(t, first, 64)
}

func TestBadTable(t *testing.T) {
	for _, line := range []string{"Exp", "Cosh 0 0", "Exp x 0", "\n"} {
		_, err := compute(line)
		require.ErrorContains(t, err, "line ")
	}
	require.ErrorContains(t, run(strings.NewReader("Exp 0"), nil), `line "Exp 0"`)
}

// runWASM runs a WASI program with the given standard input, and returns its standard output.
func runWASM(t *testing.T, file string, in []byte) string {
	t.Helper()
	ctx := t.Context()
	code, err := os.ReadFile(file)
	require.NoError(t, err)
	runtime := wazero.NewRuntime(ctx)
	defer func() { assert.NoError(t, runtime.Close(ctx)) }()
	_, err = wasi_snapshot_preview1.Instantiate(ctx, runtime)
	require.NoError(t, err)
	var out, log bytes.Buffer
	_, err = runtime.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithStdin(bytes.NewReader(in)).WithStdout(&out).WithStderr(&log))
	require.NoError(t, err, log.String())
	return out.String()
}
