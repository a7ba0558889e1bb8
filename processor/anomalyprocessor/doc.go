// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package anomalyprocessor passes telemetry to the engine and annotates it with the verdicts. It
// never drops, delays, or reorders telemetry.
package anomalyprocessor

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
