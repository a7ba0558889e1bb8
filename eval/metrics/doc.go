// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Metrics is the quality report of the metric engine: what it finds, whether its
// verdicts hold still under changes that mean nothing, how many false alarms it
// raises against the number that was chosen, and what a point costs.
//
//	go run ./eval/metrics [-eval DIR] [-section LIST] [-per-file] [-cost] [-quick]
//	                      [-seeds N] [-series N] [-days N] [-full]
//
// Sections, in this order: nab (the Numenta Anomaly Benchmark, where the
// evaluation data is), invariance, alarms, traps, cost. The cost section, and
// the figures of time and memory in the others, come with -cost alone: without it
// standard output is the same, to the byte, at every run.
//
// Tables go to stdout, progress to stderr. The exit code is 0 if all targets are
// met, 1 if one is missed or a section could not run, 2 for a wrong flag.
//
// It shares no code with the models. It calls the product through the engine's
// exported methods and through the backtest of CSV files.
package main
