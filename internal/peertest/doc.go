// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package peertest starts the processes of end-to-end tests: the collector under test and real
// peers such as Prometheus. They use free loopback ports, files in the test's folder, and a
// process group that ends with the test. The package is independent of the product.
package peertest
