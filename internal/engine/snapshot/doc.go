// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package snapshot stores the engine's state: records, packed into chunks with a
// checksum, and a manifest that is written last and names the generation. The
// fields of records are written and read by internal/state.
// docs/formats/snapshot.md describes the format.
package snapshot
