// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package topology keeps the graph of calls and placements, and ranks suspects on it.
//
// The graph is learned: services from spans; databases, queues, and external hosts from
// the attributes of client spans; pods, nodes, hosts, and deployments from resources. It
// is bounded, and forgets nodes that were not seen for a long time.
//
// The ranking takes evidence, surprises in -ln p, and returns suspects. Of each kind of
// evidence, the greatest surprise counts for a service, so that a service with many
// operations is no more suspicious than one with few. Kinds add up. The callees of a
// service can explain its new behavior; its callers can explain a changed mix of its old
// behavior. The time between two services counts for both, and each of their other pairs
// whose time is as usual reduces it.
//
// The package is pure.
package topology
