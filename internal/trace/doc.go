// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package trace learns the usual behavior of each operation from spans, and reports
// behavior changes.
//
// An operation is a service's span name of one kind. Of each it keeps, per window,
// the count, the errors and sketches of duration and self time; and, against a
// forgetting baseline, its level of self time, its behaviors (the set of child
// operations and log templates between a span's start and its end, errors
// included) and, for each pair of operations that call across services, the time
// between client and server.
//
// Spans may come in any order, and some may never come. A bounded join holds ids and
// durations for a short time, so that a parent finds its children. Parts of a trace that
// were never seen do not count as missing.
//
// Windows that are far from the baseline do not teach it, until there are as many
// of them in a row as it has seen itself (ten at most): then they are the new normal.
//
// The package is pure: time is event time, from spans and from Advance.
package trace
