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
	assert.Equal(t, []string{"agent", "agent-kafka", "default", "gateway", "gateway-kafka", "gateway-tail-sampling", "load-balancer", "logstash-replacement"}, Names())
	_, ok := Read("nothing")
	assert.False(t, ok)
}

// exceptions lists the rules that a shipped configuration may violate, by its name. Its comment must state this.
var exceptions = map[string]string{"gateway-tail-sampling": "no-tail-sampling"}

func TestShippedConfigsKeepTheRules(t *testing.T) {
	for _, name := range Names() {
		text, ok := Read(name)
		require.True(t, ok)
		assert.Empty(t, unexcused(name, broken(t, text)), "%s.yaml", name)
	}
}

// TestOneFileMaySample verifies that the same text under any other name is not accepted.
func TestOneFileMaySample(t *testing.T) {
	text, ok := Read("gateway-tail-sampling")
	require.True(t, ok)
	assert.Len(t, broken(t, text), 1, "an exception that is needed")
	for _, name := range Names() {
		excused := len(unexcused(name, broken(t, text))) == 0
		assert.Equal(t, name == "gateway-tail-sampling", excused, name)
	}
	head, _, _ := strings.Cut(string(text), "\n\n")
	assert.Contains(t, head, "Outside the acknowledgement promise")
}

// unexcused removes the permitted violations of a configuration.
func unexcused(name string, found map[string][]string) map[string][]string {
	delete(found, exceptions[name])
	return found
}

// TestRulesFail verifies that each rule can fail: its fixture violates it and no other.
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

// TestDefaultListensOnLoopbackOnly verifies that all servers of default.yaml listen on loopback.
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
