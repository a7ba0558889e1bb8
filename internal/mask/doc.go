// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package mask hides what nobody should keep of a log line: numbers of payment
// cards, secrets of APIs, e-mail addresses, and whatever else a user names.
package mask
