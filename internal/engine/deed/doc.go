// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package deed puts into words what services do differently than before.
package deed
