// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package main is part of a fixture.
package main

import _ "github.com/auspex-otel/auspex/internal/peertest"
