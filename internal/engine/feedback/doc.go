// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package feedback holds what people say about series, templates, operations and
// services: silences, and what is normal. It expires them and records who did what.
package feedback
