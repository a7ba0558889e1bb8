// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package policy is what people may say about series beforehand: which changes
// matter, how long they must last, and when nothing is to be opened. Each rule
// holds for the series that its OTTL condition describes. All rules that match a
// series combine, and the strictest of each setting wins.
//
// A Set and its policies are not safe for concurrent use: the caller guards them.
package policy
