// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package deadletter keeps undeliverable data on disk, with the reason. Each component has a
// folder of segments with one JSON object per line: see docs/formats/dead_letter.md. The folder
// is bounded. When it is full, the oldest segment is discarded, so dead letters never block other
// data.
package deadletter
