// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package shutdown bounds the time of a shutdown: of work in progress, of one
// component, and of the process.
package shutdown
