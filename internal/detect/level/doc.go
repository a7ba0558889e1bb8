// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package level is tbd.
package level // import "github.com/auspex-otel/auspex/internal/detect/level"
