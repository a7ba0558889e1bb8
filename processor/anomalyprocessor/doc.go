// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package anomalyprocessor has the engine judge the telemetry that passes, and
// writes its verdicts beside it. It never drops, delays or reorders anything.
package anomalyprocessor

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
