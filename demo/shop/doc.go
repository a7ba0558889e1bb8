// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package shop simulates a small web shop: eight services that call each other, their
// pods, databases, a queue and a payment provider outside, their traffic, latencies and
// failures, and one fault.
//
// The simulation is pure. It knows no clock, no network and no wire format: it is
// given a seed and a start, and answers one interval of event time after the other.
// Every request is walked through the call graph by itself, so that whatever happens to
// a service reaches its callers and callees the way it would in life. Metrics count all
// requests; a share of them is traced, as spans and log lines of the very same walk.
package shop
