// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package archtest holds the rules of the repository as tests: which package may
// import which, that every package has a doc comment and a bounded size, that the
// builder's list, go.mod, and the generated code of the distribution agree, and
// that no text has a word that docs/style.md bans.
package archtest
