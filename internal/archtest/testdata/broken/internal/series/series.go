// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package series is part of a fixture.
package series

import _ "github.com/auspex-otel/auspex/internal/engine"
