// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package incident follows anomalies from opening to closing and groups those
// that belong together into incidents with ranked suspects.
//
// The package is pure: callers pass points, changes, and event times. It has no clock, no
// telemetry types, and no configuration of its own.
package incident
