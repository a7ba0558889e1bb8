// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package engine is part of a fixture.
package engine

import _ "github.com/auspex-otel/auspex/internal/detect/impure"
