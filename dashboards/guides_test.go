// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGuides checks that the guide of each tool has a picture, three steps, and what to expect.
func TestGuides(t *testing.T) {
	picture, step := regexp.MustCompile(`(?m)^!\[[^]]+\]\(([^)]+)\)$`), regexp.MustCompile(`(?m)^\d\. `)
	for _, name := range []string{"grafana", "kibana", "prometheus-rules", "alertmanager"} {
		folder := filepath.Join("..", "docs", "guide")
		text, err := os.ReadFile(filepath.Join(folder, name+".md"))
		require.NoError(t, err)
		before, _, ok := strings.Cut(string(text), "\n## What to expect\n")
		assert.True(t, ok, "%s: what to expect", name)
		assert.Equal(t, []string{"1. ", "2. ", "3. "}, step.FindAllString(before, -1), "%s: steps", name)
		pictures := picture.FindAllStringSubmatch(before, -1)
		assert.NotEmpty(t, pictures, "%s: a picture", name)
		for _, p := range pictures {
			assert.FileExists(t, filepath.Join(folder, filepath.FromSlash(p[1])))
		}
	}
}
