// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile("(?m)^#+ (.+)$")
	// unslug matches the characters that GitHub omits from the anchor of a heading.
	unslug = regexp.MustCompile(`[^\p{L}\p{N}\-_ ]`)
)

// TestLinksOfDocuments checks that each relative link in a Markdown file leads to a file of the
// repository and, if it has an anchor, to a heading of that file.
func TestLinksOfDocuments(t *testing.T) {
	for _, name := range peertest.Markdown(t, repository) {
		assert.Empty(t, brokenLinks(t, repository, name), name)
	}
}

func TestBrokenLinksAreFound(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.md":     "# A\n[self](#a) [b](sub/b.md#one-two-3) [web](https://example.com)\n",
		"sub/b.md": "## One, two: `3`\n[gone](c.md) [anchor](../a.md#b) [outside](../../x.md)\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	assert.Equal(t, []string{"a.md", "sub/b.md"}, peertest.Markdown(t, dir))
	assert.Empty(t, brokenLinks(t, dir, "a.md"))
	assert.Equal(t, []string{"c.md: no such file", "../a.md#b: no such heading", "../../x.md: outside the repository"}, brokenLinks(t, dir, "sub/b.md"))
}

// brokenLinks returns the broken links of a file, with the reasons.
func brokenLinks(t *testing.T, root, name string) (broken []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	for _, m := range link.FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(m[1], "://") {
			continue
		}
		file, anchor, _ := strings.Cut(m[1], "#")
		target := filepath.Join(filepath.Dir(name), file)
		if file == "" {
			target = name
		}
		if !filepath.IsLocal(target) {
			broken = append(broken, m[1]+": outside the repository")
			continue
		}
		to, err := os.Stat(filepath.Join(root, target))
		switch {
		case err != nil:
			broken = append(broken, m[1]+": no such file")
		case anchor != "" && (to.IsDir() || !slices.Contains(anchors(t, filepath.Join(root, target)), anchor)):
			broken = append(broken, m[1]+": no such heading")
		}
	}
	return broken
}

// anchors returns the anchors of GitHub for the headings of a file.
func anchors(t *testing.T, file string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	seen := map[string]int{}
	for _, m := range heading.FindAllStringSubmatch(string(text), -1) {
		slug := strings.ReplaceAll(unslug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")
		if n := seen[slug]; n > 0 {
			list = append(list, fmt.Sprintf("%s-%d", slug, n))
		} else {
			list = append(list, slug)
		}
		seen[slug]++
	}
	return list
}
