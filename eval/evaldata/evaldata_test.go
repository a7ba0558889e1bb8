// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package evaldata

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFolder(t *testing.T) {
	t.Setenv(Env, "")
	assert.Equal(t, "../shared/eval", Folder())
	assert.Equal(t, "../../../shared/eval", FolderFrom("../.."))
	t.Setenv(Env, "/data/eval")
	assert.Equal(t, "/data/eval", Folder())
	assert.Equal(t, "/data/eval", FolderFrom("../.."))
}
