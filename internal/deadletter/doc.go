// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package deadletter keeps what can never be delivered, with the reason, in a
// file of JSON lines that an operator may read and move away at any time.
package deadletter
