// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Metrics is the quality report of the metric engine: its detections, the stability of its verdicts under irrelevant
// changes, its false alarms compared with the chosen number, and the cost of a point.
//
//	go run ./eval/metrics [-eval DIR] [-section LIST] [-per-file] [-cost] [-quick]
//	    [-seeds N] [-series N] [-days N] [-full]
//
// Sections, in this order: nab (the Numenta Anomaly Benchmark, if the evaluation data is present), invariance,
// alarms, traps, cost. The cost section, and the figures of time and memory in the others, require -cost. Without it,
// standard output is identical in every run.
//
// Tables go to stdout, progress to stderr. The exit code is 0 if all targets are met, 1 if one is missed or a section
// failed, or 2 for an invalid flag.
//
// The report shares no code with the models. It calls the product through the engine's exported methods and through
// the backtest of CSV files.
package main
