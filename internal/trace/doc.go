// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package trace learns the usual behavior of each operation from spans, and reports behavior changes.
//
// An operation is a span name of one kind in a service. Per window, the package keeps its count, errors, and sketches
// of duration and self time. Against a decaying baseline, it keeps its level of self time, its behaviors (the set of
// child operations and log templates between a span's start and end, including errors) and, for each pair of
// operations that call across services, the time between client and server.
//
// Spans may arrive in any order, and some may never arrive. A bounded join holds ids and durations for a short time,
// so that a parent finds its children. Parts of a trace that never arrived do not count as missing.
//
// Windows that are far from the baseline do not update it, until there are as many of them in a row as it has seen
// itself (at most ten). Then they become the new baseline.
//
// The package is pure: time is event time, from spans and from Advance.
package trace
