// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package flat notices a series that stands still: the same value again and
// again, for longer than it is known to. It says how unlikely that is,
//
//	-ln P = (run - 2·longest - 24)·ln 1/q,
//
// q being the share of points that repeat the one before and longest the longest
// run known, both slowly forgotten; at most 30 nats, as a run that lasts is no
// more news than one that has begun.
//
// A count that is mostly 0 and a gauge that changes once a day have long runs
// and a large q. A constant, and what changes more rarely than one point in 200,
// stand still by nature: nothing is said of them.
//
// Limits. Only equal values count: a sensor that jitters around its last value
// does not stand still. A line takes 32 bytes.
package flat
