// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package filestorageextension wraps contrib's extension file_storage, with the same keys and
// files. With recreate, any damaged file is moved aside before it is opened. For a file that
// another process uses, the error names the folder and the process.
package filestorageextension
