// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package policy is what people may say about series beforehand: which changes
// matter, how long they must last, and when nothing is to be opened. Each rule
// holds for the series that its OTTL condition describes. All rules that match a
// series combine, and the strictest of each setting wins.
//
// A Set and what comes of it are not safe for concurrent use: whoever holds them guards them.
package policy
