// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package fileprovider is the config provider with the scheme file. It extends core's provider and logs which file is
// read, because core's errors about a configuration name the key and the reason, but not the file.
package fileprovider
