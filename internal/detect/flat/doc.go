// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package flat detects a series that stands still: it repeats one value for longer
// than usual. The surprise is
//
//	-ln P = (run - 2·longest - 24)·ln 1/q
//
// where q is the share of points that repeat the previous one, and longest is the
// longest known run. Both decay slowly. The surprise is at most 30 nats, because a long
// run is no more news than its start. Accept makes the present run normal: it gives no
// surprise until the value changes.
//
// A count that is mostly 0 and a gauge that changes once a day have long runs
// and a large q. A constant, and a series that changes more rarely than one point in 200,
// stand still by nature and give no surprise.
//
// Limits. Only equal values count: a sensor that jitters around its last value
// does not stand still. A line takes 40 bytes.
package flat
