// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package door is what receivers have in common: a server for the pipelines of
// several signals, places of which one client may not take all, and how the
// pipeline's errors are to be read.
package door
