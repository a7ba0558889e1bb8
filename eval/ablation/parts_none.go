// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !ablation

package main

// shipped has no parts without the build tag ablation.
var shipped = model{}
