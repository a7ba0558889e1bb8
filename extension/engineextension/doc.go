// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package engineextension owns the engine of a collector: its configuration, its clock, and its
// state on disk.
package engineextension

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
