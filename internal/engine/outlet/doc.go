// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package outlet admits deliveries of findings until the collector shuts down.
package outlet
