// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package mask hides the parts of a text that must not be kept or shown: numbers
// of payment cards, secrets, e-mail addresses, and what a user names. It is the one
// place that decides what a secret is.
package mask
