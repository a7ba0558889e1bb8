// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package vocabulary holds every name that Auspex puts on the wire, and the
// translation between its events and log records: all in this one place.
package vocabulary
