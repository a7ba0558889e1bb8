// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package shop simulates a small web shop: seven services that call each other,
// their traffic, their latencies, their failures, and one fault.
//
// The simulation is pure. It knows no clock, no network and no telemetry: it is
// given a seed and a start, and answers one interval of event time after the other.
// Every request is walked through the call graph by itself, so that whatever
// happens to a service reaches its callers and callees the way it would in life.
package shop
