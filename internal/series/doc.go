// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package series assigns identities to series and keeps per-series state in a bounded, aging
// table.
package series
