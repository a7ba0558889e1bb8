// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package bench is the telemetry bench. It generates series and faults, runs the product, standard detectors, an
// oracle, and controls over them, and prints event recall at one rate of false alarms. The command eval/faults
// documents all rules.
package bench
