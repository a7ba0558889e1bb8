// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Command logs is the quality report of the log-template miner: how well its groups and
// templates fit labeled logs, how far two replicas agree, how fast it is, and how much
// memory a flood of junk takes. The scorer is its own.
package main
