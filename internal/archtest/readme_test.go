// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// emptyLink matches a Markdown link definition without an address. mdatagen writes one for this
// distribution, and `make generate` fills it in.
var emptyLink = regexp.MustCompile(`(?m)^\[[^\]]+\]: *$`)

func TestComponentsHaveNoEmptyLinks(t *testing.T) {
	list, err := filepath.Glob(filepath.Join(repository, "*", "*", "metadata.yaml"))
	require.NoError(t, err)
	require.Greater(t, len(list), 10)
	for _, metadata := range list {
		name := filepath.Join(filepath.Dir(metadata), "README.md")
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Empty(t, emptyLink.FindString(string(text)), "%s: run make generate", name)
	}
	assert.Regexp(t, emptyLink, "[auspex]: \n<!-- end -->")
}
