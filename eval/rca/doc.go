// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Rca is the quality report of the ranking of suspects: who is named for faults
// whose time and culprit are known.
//
//	go run ./eval/rca [-eval DIR] [-seed N] [-vary]
//
// For each system a table by type of fault: AS@k is the share of faults whose
// service is among the first k suspects. Then the same on a copy in which every
// service, pod and operation has a random name and all times are seven weeks
// later: each prediction must be the same, name for name. The seed is printed.
//
// With -vary, how much of it is left with fewer traces, without a signal, and with
// the time of a fault told wrongly. These copies decide nothing; they tell luck from
// strength.
//
// Tables go to stdout. The exit code is 0 if all targets are met or the evaluation
// data is absent, which it says, 1 if a target is missed, 2 for a wrong flag.
//
// It shares no code with the product, which it runs through the backtest.
package main
