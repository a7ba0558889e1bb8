// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Ablation is a quality report: what does each view of the metric model contribute?
// It leaves out one view at a time and measures the model on three sources.
//
//	go run -tags ablation ./eval/ablation [-eval DIR] [-quick] [-only LIST]
//
// A row has the mean recall of labeled cloud telemetry by point and by opening
// scores, NAB's standard profile at its best threshold, and the macro recall of the
// telemetry bench (eval/faults), each with the median delay of what was found, in
// minutes (for cloud at 1 false alarm per 1,000 rows). Rows below the first are differences from it, with their bootstrap
// standard errors: over files for cloud and NAB, over families for the bench, each
// of the same samples with the view and without. An asterisk marks a loss that
// exceeds its standard error. A view without an asterisk contributes nothing that
// these sources can tell from chance.
//
// What is measured is the model alone: no engine, no fleet, no absence. The table
// that turns evidence into a probability remains that of all views, and what a view
// does elsewhere, as in the beginning of holds, remains too. Sources whose files
// are absent are left out.
//
// The build tag adds the function that leaves a view out. It is in no other binary.
// -quick draws fewer series for the bench. -only measures the views that it names,
// separated by commas. The exit code is 0, 1 if a measurement fails, 2 for wrong use.
package main
