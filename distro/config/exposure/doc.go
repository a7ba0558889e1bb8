// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package exposure is a config converter that rejects a configuration with a receiver, or the console, that other
// machines can reach without authentication.
//
// It processes the complete configuration after all references were resolved, so it covers every receiver, including
// those of the Collector and of contrib.
package exposure
