// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package lumberjack reads versions 1 and 2 of the Lumberjack protocol, which Beats and other log
// shippers send to Logstash. It parses bytes, calls back with events, and encodes
// acknowledgements. It uses neither sockets nor a clock.
//
// A frame begins with two characters, the protocol version ('1' or '2') and the
// frame's type. All numbers are unsigned, 32 bits wide, most significant byte first.
//
//	 0       1       2               6              10
//	┌───────┬───────┬───────────────┐
//	│version│  'W'  │ events        │                    window: so many events follow
//	└───────┴───────┴───────────────┘
//	┌───────┬───────┬───────────────┬───────────────┬──────────────┐
//	│version│  'J'  │ sequence      │ length        │ JSON …       │
//	└───────┴───────┴───────────────┴───────────────┴──────────────┘
//	┌───────┬───────┬───────────────┬───────────────┬───────────────────────────────────┐
//	│version│  'D'  │ sequence      │ pairs         │ pairs × (length, key, length, value) │
//	└───────┴───────┴───────────────┴───────────────┴───────────────────────────────────┘
//	┌───────┬───────┬───────────────┬──────────────┐
//	│version│  'C'  │ length        │ zlib stream … │      frames, compressed
//	└───────┴───────┴───────────────┴──────────────┘
//	┌───────┬───────┬───────────────┐
//	│version│  'A'  │ sequence      │                    from the receiver: acknowledges up to here
//	└───────┴───────┴───────────────┘
//
// The client numbers its events. Some clients begin every window at 1, others count over the
// whole connection. An acknowledgement returns the client's number. All announced sizes are
// checked against [Limits] before memory is allocated, and memory grows with the received bytes.
package lumberjack
