// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package topology knows what calls what and what runs where, and ranks suspects on it.
//
// The graph is learned: services from spans, databases, queues and external hosts
// from what spans say that they call, pods, nodes, hosts and deployments from
// resources. It is bounded, and what was not seen for long is forgotten.
//
// The ranking takes evidence, surprises in -ln p, and turns it into suspects.
// Within a kind of evidence the most surprising speaks for a service, so that a
// service with many operations is no more suspicious than one with few; kinds add
// up. The services that a service calls can explain its new behavior; the services
// that call it can explain a changed mix of its old behavior. The time
// between two services counts for both, and each of their other pairs that is as
// usual counts against.
//
// The package is pure.
package topology
