// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package score provides the shared parts of the quality reports: reading results of a backtest, the scorers of the
// labeled data sets, and bootstrap standard errors.
//
// The data sets are outside the repository. Every scorer takes the folder that holds them.
package score
