// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package consoleextension serves a page and a JSON API about what the engine
// knows, on the loopback interface unless configured otherwise.
package consoleextension
