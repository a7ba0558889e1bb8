// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

func TestReject(t *testing.T) {
	assert.Nil(t, Reject(nil, http.StatusTooManyRequests))
	no := errors.New("no")
	r := Reject(no, http.StatusServiceUnavailable)
	assert.Equal(t, http.StatusServiceUnavailable, r.Status)
	require.ErrorIs(t, r.Err, no)
	r = Reject(consumererror.NewPermanent(no), http.StatusServiceUnavailable)
	assert.Equal(t, http.StatusBadRequest, r.Status)
	require.ErrorIs(t, r.Err, no)
}

func TestRejectHidesSecretsInAddresses(t *testing.T) {
	failed := errors.New(`Post "http://user:pw@backend/write?token=abc": connection refused`)
	for _, err := range []error{failed, consumererror.NewPermanent(failed)} {
		r := Reject(err, http.StatusServiceUnavailable)
		assert.Contains(t, r.Err.Error(), `Post "http://backend/write": connection refused`)
	}
}
