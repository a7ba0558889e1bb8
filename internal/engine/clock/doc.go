// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package clock decides which timestamps may advance state that several series or sources share: watermarks, windows,
// the service graph. The clocks of senders are not trusted. A timestamp that is far ahead of the clock of ticks, or
// far behind the shared state, updates only its own series.
package clock
