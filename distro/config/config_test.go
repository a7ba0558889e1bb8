// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestNames(t *testing.T) {
	assert.Equal(t, []string{"agent", "default", "gateway", "logstash-replacement"}, Names())
	_, ok := Read("nothing")
	assert.False(t, ok)
}

func TestShippedConfigsKeepTheRules(t *testing.T) {
	for _, name := range Names() {
		text, ok := Read(name)
		require.True(t, ok)
		assert.Empty(t, broken(t, text), "%s.yaml", name)
	}
}

// Each rule must be able to fail: its fixture breaks it and no other.
func TestRulesFail(t *testing.T) {
	fixtures := map[string]bool{}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", r.name+".yaml"))
			require.NoError(t, err)
			found := broken(t, text)
			assert.NotEmpty(t, found[r.name])
			assert.Len(t, found, 1, "other rules are broken too: %v", found)
		})
		fixtures[r.name+".yaml"] = true
	}
	entries, err := os.ReadDir("testdata")
	require.NoError(t, err)
	for _, e := range entries {
		assert.True(t, fixtures[e.Name()], "testdata/%s belongs to no rule", e.Name())
	}
}

// default.yaml asks for no trust in the network: everything listens on loopback.
func TestDefaultListensOnLoopbackOnly(t *testing.T) {
	text, _ := Read("default")
	for line := range strings.Lines(string(text)) {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "endpoint:") || strings.HasPrefix(trimmed, "host:") {
			assert.Contains(t, trimmed, "127.0.0.1", "default.yaml: %s", trimmed)
		}
	}
}

func broken(t *testing.T, text []byte) map[string][]string {
	t.Helper()
	var c collector
	require.NoError(t, yaml.Unmarshal(text, &c))
	require.NotEmpty(t, c.Service.Pipelines)
	found := map[string][]string{}
	for _, r := range rules {
		if why := r.check(c); len(why) > 0 {
			found[r.name] = why
		}
	}
	return found
}
