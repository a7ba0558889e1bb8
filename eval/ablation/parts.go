// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build ablation

package main

import "github.com/auspex-otel/auspex/internal/detect/ensemble"

var shipped = model{ensemble.Parts(), ensemble.LeaveOut}
