// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package policy evaluates user-defined rules for series: which changes matter, how long they
// must last, and when no anomaly may open. A rule applies to the series that match its OTTL
// condition. All rules that match a series are combined, with the strictest value of each
// setting.
//
// A Set and its policies are not safe for concurrent use.
package policy
