// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Command shop reports the findings of the built programs in the demo's shop. The demo writes the telemetry of a seed
// and a fault, and the backtest evaluates it. The report shows whether an incident opened within three minutes,
// whether it names the correct service first, the delay, and the number of false openings. It shares no code with the
// product. The truth comes from the demo.
package main
