// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package corpus generates the synthetic corpora in the folder testdata of the repository: CSV,
// logs, and a recording in OTLP. Its tests compare the files with the generated content. `go test
// ./internal/corpus -rewrite` writes the files.
package corpus
