// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package logs breaks the import law.
package logs

import _ "github.com/auspex-otel/auspex/internal/engine/spans"
