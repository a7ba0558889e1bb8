// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Rca is the quality report of the ranking of suspects: does it name the culprits of faults with known times and
// causes?
//
//	go run ./eval/rca [-eval DIR] [-seed N] [-vary]
//
// For each system it prints a table by type of fault. AS@k is the share of faults whose service is among the first k
// suspects. It then repeats this on a copy in which every service, pod, and operation has a random name and all times
// are seven weeks later. Each prediction must be identical, name for name. The seed is printed.
//
// -vary also prints the results with fewer traces, without a signal, and with a wrong fault time. These copies have
// no targets. They show the robustness of the result.
//
// Tables go to stdout. The exit code is 0 if all targets are met or the evaluation data is missing, which the report
// prints, 1 if a target is missed, or 2 for an invalid flag.
//
// The report shares no code with the product, which it runs through the backtest.
package main
