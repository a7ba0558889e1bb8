// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Command logs is the quality report of the log-template miner: the accuracy of its groups and templates on labeled
// logs, the agreement of two replicas, its speed, and its memory during a flood of junk. It has its own scorer.
package main
