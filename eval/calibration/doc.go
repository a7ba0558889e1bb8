// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Calibration is a quality report: is the p that the product gives to points the
// chance that it claims to be, and does it find faults? The p is that of the
// model, corrected as the product does it: by what other series alike have shown.
//
//	go run ./eval/calibration [-model ensemble|constant] [-series N]
//
// It draws noise without a fault, from fixed seeds, counts the points below two
// nominal p's, and then shifts the level. A second table does the same at the
// small p that a false-alarm budget over many series asks for. Tables go to
// stdout, progress to stderr. The exit code is 0 if all targets are met, 1 if one
// is missed, 2 for a wrong flag.
//
// It shares no code with the model: it calls it through detect.Model only.
package main
