// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package worker evaluates series and shards for another program, which sends requests and reads replies over a pair
// of streams. engines/worker/README.md specifies the protocol.
package worker
