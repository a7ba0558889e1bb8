// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package corpus generates the corpora in the folder testdata of the repository
// that no real program wrote: CSV, logs, and a recording in OTLP. Its tests hold
// the files equal to what it generates; `go test ./internal/corpus -rewrite` writes
// them.
package corpus
