// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package shutdown bounds the shutdown time of work in progress, of a component, and of the
// process.
package shutdown
