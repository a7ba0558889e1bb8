// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package spans breaks the import law.
package spans

import _ "github.com/auspex-otel/auspex/internal/engine"
