// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package flat detects a series that stands still: the same value again and again,
// for longer than it is known to. The surprise is
//
//	-ln P = (run - 2·longest - 24)·ln 1/q,
//
// q being the share of points that repeat the one before and longest the longest
// run known, both slowly forgotten; at most 30 nats, as a run that lasts is no
// more news than one that has begun. Accept makes the present run normal: it gives
// no surprise until the value moves.
//
// A count that is mostly 0 and a gauge that changes once a day have long runs
// and a large q. A constant, and a series that changes more rarely than one point in 200,
// stand still by nature and give no surprise.
//
// Limits. Only equal values count: a sensor that jitters around its last value
// does not stand still. A line takes 40 bytes.
package flat
