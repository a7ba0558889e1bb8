// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package archtest holds the rules of the house as tests: who may import whom,
// that every package says what it is for, and that the builder's list, go.mod
// and the generated code of the distribution agree.
package archtest
