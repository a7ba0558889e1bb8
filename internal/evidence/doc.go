// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package evidence reads telemetry for the engine and internal/causes: the text and
// severity of log records, who
// calls what, where a service runs, and what an instance of it uses.
package evidence
