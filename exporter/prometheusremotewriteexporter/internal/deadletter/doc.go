// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package deadletter keeps requests that a server refused for good, in a folder
// of bounded size. A letter is two files of one name: .snappy is the body as it
// was sent, so that curl can send it again, and .json is one line that says why
// it is here and which headers it needs.
package deadletter
