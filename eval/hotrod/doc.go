// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Hotrod is a quality report: does a recurring fault open anomalies as it did the first time? It plays a recording of
// Jaeger's HotROD example, then the same recording again, shifted by an hour, through one engine in event time.
//
//	go run ./eval/hotrod [-eval DIR]
//
// A row names a fault of truth.json, its repetition, and the anomalies that opened on duration series of the faulty
// services, with the delay from the start of the fault. The target is at least one within 30 seconds each time. The
// exit code is 0 if it is met or the recording is missing, 1 if it is missed or a file cannot be read, or 2 for
// invalid usage.
package main
