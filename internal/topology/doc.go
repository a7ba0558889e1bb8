// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package topology stores the graph of calls and placements, and ranks suspects on it.
//
// The graph is learned: services from spans; databases, queues, and external hosts from the attributes of client
// spans; pods, nodes, hosts, and deployments from resources. It is bounded, and removes nodes that were not seen for
// a long time.
//
// The ranking takes evidence, which are surprises in -ln p, and returns suspects. For each kind of evidence, only the
// greatest surprise of a service counts, so that a service with many operations is no more suspicious than one with
// few. Kinds add up. The callees of a service can explain its new behavior. Its callers can explain a changed mix of
// its old behavior. The time between two services counts for both. Each of their other pairs with a usual time
// reduces it.
//
// The package is pure.
package topology
