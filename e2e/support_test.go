// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// TestSupportBundleHasNoSecrets runs "auspex support-bundle" on a collector whose
// configuration has ten kinds of secrets, and whose log has more of them.
func TestSupportBundleHasNoSecrets(t *testing.T) {
	secret := "Xq" + newRun()
	c := peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:default", Config: config(t, "secrets.yaml"), Env: peertest.Shipped(t, "SECRET="+secret)})
	dir := t.TempDir()
	log, out := filepath.Join(dir, "collector.log"), filepath.Join(dir, "bundle.tar.gz")
	require.NoError(t, os.WriteFile(log, fmt.Appendf(nil, "DB_PASSWORD=%[1]s\nGET http://host/?access_token=%[1]s\nX-Auth-Token: %[1]s\n", secret), 0o600))
	program := filepath.Join(filepath.Dir(peertest.CollectorProgram(t)), "auspex")
	text, err := exec.CommandContext(t.Context(), program, "support-bundle", "--endpoint", "http://"+c.Console, "--metrics", "http://"+c.Metrics+"/metrics",
		"--pprof", "http://"+c.Pprof, "--log", log, "--during", "1s", "--out", out).CombinedOutput()
	require.NoError(t, err, string(text))
	t.Logf("%s", text)
	assert.NotContains(t, string(text), "left out")
	content, err := os.ReadFile(out)
	require.NoError(t, err)
	zipped, err := gzip.NewReader(bytes.NewReader(content))
	require.NoError(t, err)
	files := map[string]string{}
	for r := tar.NewReader(zipped); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		files[path.Base(header.Name)] = string(b)
		assert.False(t, bytes.Contains(b, []byte(secret)), "a secret is in %s", header.Name)
	}
	assert.Len(t, files, 12)
	assert.Contains(t, files["config.yaml"], "otlp_http/address:")
	assert.Contains(t, files["metrics-2.txt"], "otelcol_process_uptime")
}
