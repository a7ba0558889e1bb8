// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

// trial is the number of first values. If all but trialFalls of them rise, the number counts as a counter or an id.
const trial, trialFalls = 32, 2

// Number collects the values of one number in log lines, after its first values have shown that it is a measurement.
type Number struct {
	Values Values // in the open window
	Last   float64
	Tried  int // values of the trial
	Falls  int
}

// Add adds the next value.
func (n *Number) Add(v float64) {
	if n.Tried < trial {
		if n.Tried++; v <= n.Last && n.Tried > 1 {
			n.Falls++
		}
		n.Last = v
	}
	if !n.identifies() {
		n.Values.Add(v)
	}
}

// Measures reports whether the trial is over and the number is a measurement.
func (n *Number) Measures() bool { return n.Tried == trial && !n.identifies() }

// identifies reports whether the trial is over and nearly every value rose: the number is a counter or an identifier.
func (n *Number) identifies() bool { return n.Tried == trial && n.Falls <= trialFalls }
