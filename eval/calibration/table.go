// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
)

func printHeader(w io.Writer, series int) {
	fmt.Fprintf(w, `Calibration: %d series × %d points of noise without a fault; the first %d points (warm-up included) apart.
Share of points with p < 1e-2 and p < 1e-3; ratio = share / nominal, target 0.5 to 2.
Recall: a shift of +%dσ (σ: the noise's standard deviation) held for %d points counts as found if at least one of them
has p < 1e-3. Beside it the share of windows of %d points without a fault that would count. Target: at least 0.9, at most 0.1.

%-17s %9s %6s %9s %6s  %9s %9s  %6s %9s  %s
`, series, points, early, faultSize, faultLen, faultLen,
		"noise", "p<1e-2", "ratio", "p<1e-3", "ratio", "1st:1e-2", "1st:1e-3", "recall", "no fault", "")
}

func printRow(w io.Writer, name string, r *result) {
	fmt.Fprintf(w, "%-17s %9.5f %6.2f %9.5f %6.2f  %9.5f %9.5f  %6.2f %9.4f  %s\n", name,
		r.share(1, 0), r.ratio(0), r.share(1, 1), r.ratio(1), r.share(0, 0), r.share(0, 1),
		r.recall(), r.falseWindows(), verdict(r.calibrated() && r.detects()))
}

func verdict(ok bool) string {
	if ok {
		return "ok"
	}
	return "MISSED"
}
