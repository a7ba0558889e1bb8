// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Ablation is a quality report on the contribution of each view of the metric model. It leaves out one view at a time
// and measures the model on three sources.
//
//	go run -tags ablation ./eval/ablation [-eval DIR] [-quick] [-only LIST]
//
// A row has the mean recall of labeled cloud telemetry by point and by opening scores, NAB's standard profile at its
// best threshold, and the macro recall of the telemetry bench (eval/faults). Each has the median delay of the found
// events in minutes (for cloud at 1 false alarm per 1,000 rows). Rows below the first are differences from it, with
// bootstrap standard errors: over files for cloud and NAB, over families for the bench. Both sides of a difference
// use the same samples. An asterisk marks a loss that exceeds its standard error. The contribution of a view without
// an asterisk is not distinguishable from chance on these sources.
//
// The report measures the model alone: no engine, no fleet, no absence. The table that converts evidence to a
// probability remains that of all views. Other uses of a view, such as in the start of holds, also remain. Sources
// without files are left out.
//
// The build tag adds the function that leaves a view out. Other binaries do not contain it. -quick draws fewer series
// for the bench. -only lists the views to measure, separated by commas. The exit code is 0, 1 if a measurement fails,
// or 2 for invalid usage.
package main
