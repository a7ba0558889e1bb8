// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package flink tests the library for Flink with real clusters and a real Kafka, and compares its findings with those of
// auspex backtest. scripts/peers.sh installs both.
package flink
