// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package vocabulary holds every name that Auspex puts on the wire, and converts its events to
// log records. No other package contains wire names.
package vocabulary
