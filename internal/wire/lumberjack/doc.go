// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package lumberjack reads the Lumberjack protocol, versions 1 and 2, which
// Beats and other log shippers speak to Logstash. It reads bytes, calls back
// with events, and writes acknowledgements; it knows no sockets and no clock.
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
// The sender numbers its events. Some begin every window at 1, some count on
// over the whole connection; an acknowledgement returns the number that the
// sender gave. Everything a peer claims is checked against [Limits] before it
// costs anything, and memory grows with the bytes that came, not with those
// that were promised.
package lumberjack
