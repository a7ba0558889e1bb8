// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package detect holds the contract between a model of one series and whatever
// feeds it, and the arithmetic that turns a surprise into a score.
//
// The package and the packages below it are pure: they know numbers and bytes,
// no clock, no telemetry types, no configuration.
package detect
