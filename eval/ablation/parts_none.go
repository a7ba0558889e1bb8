// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !ablation

package main

// shipped has no parts: only the build tag ablation makes them known.
var shipped = model{}
