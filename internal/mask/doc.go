// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package mask hides sensitive parts of texts: payment card numbers, secrets, e-mail addresses,
// and user-defined patterns. It is the only definition of a secret.
package mask
