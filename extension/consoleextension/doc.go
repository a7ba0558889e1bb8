// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package consoleextension answers what the engine knows as JSON over HTTP, on
// the loopback interface unless configured otherwise.
package consoleextension
