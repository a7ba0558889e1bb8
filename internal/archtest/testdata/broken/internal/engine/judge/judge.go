// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package judge breaks the import law.
package judge

import _ "github.com/auspex-otel/auspex/internal/engine/logs"
