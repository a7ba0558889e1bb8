// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package archtest tests the rules of the repository: the imports between packages, a doc comment
// and a bounded size for every package, arithmetic with the same bits on every processor, the
// agreement of the builder's list, go.mod, and the generated code of the distribution, and the
// banned words of docs/style.md.
package archtest
