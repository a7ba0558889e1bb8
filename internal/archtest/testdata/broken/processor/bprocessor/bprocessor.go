// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package bprocessor is part of a fixture.
package bprocessor

import _ "github.com/auspex-otel/auspex/internal/engine"
