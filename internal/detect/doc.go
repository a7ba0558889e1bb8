// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package detect defines the interface of models of one series, and converts a surprise to a score.
//
// The package and the packages below it are pure: they use numbers and bytes, but no clock, telemetry types, or
// configuration.
package detect
