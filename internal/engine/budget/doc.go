// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package budget divides the accepted count of false alarms among the signals and
// their decisions. It learns how often anomalies open per exceedance, and corrects
// the probabilities that models state by how often they turned out to be right.
package budget
