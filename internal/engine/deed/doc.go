// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package deed describes the behavior changes of services in words.
package deed
