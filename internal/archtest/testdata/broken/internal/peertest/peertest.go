// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package peertest is part of a fixture.
package peertest

import _ "github.com/auspex-otel/auspex/internal/engine"
