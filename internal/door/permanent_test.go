// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package door

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

func TestPermanent(t *testing.T) {
	assert.False(t, Permanent(nil))
	no, never := errors.New("no"), consumererror.NewPermanent(errors.New("never"))
	assert.False(t, Permanent(no))
	assert.True(t, Permanent(never))
	assert.True(t, Permanent(errors.Join(never, never)))
	assert.False(t, Permanent(errors.Join(never, no)), "one of the consumers may still take it")
	assert.False(t, Permanent(errors.Join(never, errors.Join(no, never))))
}
