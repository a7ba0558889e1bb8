// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package deadletter keeps data that can never be delivered on disk, with the
// reason. Each component has a folder of segments with one JSON object per line,
// as docs/formats/dead_letter.md describes it. The folder is bounded: when it is
// full, the oldest segment is discarded, so dead letters never block other data.
package deadletter
