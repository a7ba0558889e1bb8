// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package peertest starts what the end-to-end tests talk to: the collector
// under test and real peers such as Prometheus. Everything runs on free ports of
// the loopback interface, with its files in the test's own folder, in a process
// group of its own that ends with the test. The package knows nothing of the product.
package peertest
