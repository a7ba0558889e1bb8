// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Command shop says what the built programs find in the demo's shop. It has the demo write
// the telemetry of a seed and a fault, has the backtest judge it, and reads what came out: was
// there an incident within three minutes, does it name the right service first, after how
// long, and how much was opened for nothing. It shares no code with the product; the truth
// is what the demo says that it did.
package main
