// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package exposure is a config converter that refuses a configuration with a
// receiver, or the console, that other machines can reach without authentication.
//
// It sees the whole configuration after all references were resolved, so it covers
// every receiver, those of the Collector and of contrib too.
package exposure
