// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package score holds what the quality reports share: reading results of a
// backtest, the scorers of the labeled collections, and bootstrap standard errors.
//
// The collections lie outside the repository. Every scorer takes the folder that
// holds them.
package score
