// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package filestorageextension is contrib's extension file_storage, which has the
// same keys and the same files, with two additions. With recreate, a file that is
// damaged in any way is moved aside before it is opened. A file that another
// process uses is an error that names the folder and the process.
package filestorageextension
