// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package snapshot stores the engine's state: records in chunks with a checksum, and a manifest that is written last
// and names the generation. internal/state writes and reads the fields of records. docs/formats/snapshot.md describes
// the format.
package snapshot
