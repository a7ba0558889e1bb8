// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package fileprovider is the config provider with the scheme file. It is core's,
// and says besides which file is read: core's errors about a configuration name
// the key and the reason, but not the file.
package fileprovider
