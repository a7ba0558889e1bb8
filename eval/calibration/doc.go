// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Calibration is a quality report: does the p that the product assigns to points equal its frequency, and does it
// find faults? The p is that of the model, corrected with the results of similar series as in the product.
//
//	go run ./eval/calibration [-model ensemble|constant] [-series N]
//
// It draws noise without a fault from fixed seeds, counts the points below two nominal values of p, and then shifts
// the level. A second table does the same at the small p that results from a false-alarm budget over many series.
// Tables go to stdout, progress to stderr. The exit code is 0 if all targets are met, 1 if one is missed, or 2 for an
// invalid flag.
//
// The report shares no code with the model. It uses only detect.Model.
package main
