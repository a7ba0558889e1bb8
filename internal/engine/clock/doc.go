// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package clock decides which timestamps of senders may move state that several
// series or sources share: watermarks, windows, the service graph. The clock of a
// sender is not trusted. A timestamp that lies far ahead of the clock of ticks, or
// far behind what the shared state has reached, moves nothing but its own series.
package clock
