// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package shop simulates a small web shop: eight services that call each other, their pods and databases, a queue, an
// external payment provider, their traffic, latencies, and failures, and one fault.
//
// The simulation is pure. It does not use a clock, a network, or a wire format. It takes a seed and a start, and
// returns one interval of event time after the other. It simulates every request on its way through the call graph,
// so that a fault in a service affects its callers and callees. Metrics count all requests. A share of them is
// traced: their spans and log lines come from the same simulation.
package shop
