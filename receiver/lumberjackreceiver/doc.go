// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package lumberjackreceiver receives events from Beats and other clients of the Lumberjack
// protocol. It acknowledges an event after the next consumer has accepted it, and never earlier.
package lumberjackreceiver
