// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package lumberjackreceiver takes events from Beats and other senders of the
// Lumberjack protocol. It acknowledges an event after the next consumer has
// accepted it, and not before.
package lumberjackreceiver
