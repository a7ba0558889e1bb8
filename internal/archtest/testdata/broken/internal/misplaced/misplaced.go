// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package misplaced is part of a fixture.
package misplaced
