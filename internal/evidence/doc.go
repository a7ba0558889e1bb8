// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package evidence reads in telemetry what internal/causes wants to know: who
// calls what, where a service runs, and what an instance of it uses.
package evidence
