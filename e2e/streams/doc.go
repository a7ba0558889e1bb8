// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package streams tests the shipped configurations that exchange telemetry through Kafka with a real broker.
// scripts/peers.sh installs it.
package streams
