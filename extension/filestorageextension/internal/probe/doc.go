// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package probe examines a storage file in a separate process. A damaged file is mapped into
// memory and may end the process that reads it, so the program starts itself with a hidden
// argument and checks the exit status.
package probe
