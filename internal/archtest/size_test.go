// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxLines bounds the lines of a package under internal/, without tests.
const maxLines = 2500

func TestPackagesAreSmall(t *testing.T) {
	sizes := lines(t, repository, readTree(t, repository))
	require.Greater(t, sizes["internal/engine/judge"], maxLines/2, "the count finds too little")
	assert.Empty(t, tooLarge(sizes))
}

func TestLargePackageIsReported(t *testing.T) {
	assert.Equal(t, []string{
		"internal/a has 2501 lines without tests, 2500 are allowed: split it",
	}, tooLarge(map[string]int{"internal/a": 2501, "internal/b": 2500, "cmd/c": 9999}))
}

func tooLarge(sizes map[string]int) []string {
	var found []string
	for name, n := range sizes {
		if n > maxLines && strings.HasPrefix(name, "internal/") {
			found = append(found, fmt.Sprintf("%s has %d lines without tests, %d are allowed: split it", name, n, maxLines))
		}
	}
	slices.Sort(found)
	return found
}

// lines returns the number of lines of each package, without tests.
func lines(t *testing.T, root string, tree []file) map[string]int {
	t.Helper()
	sizes := map[string]int{}
	for _, f := range tree {
		if p := f.pkg(); !p.test {
			text, err := os.ReadFile(path.Join(root, f.name))
			require.NoError(t, err)
			sizes[p.path] += strings.Count(string(text), "\n")
		}
	}
	return sizes
}
