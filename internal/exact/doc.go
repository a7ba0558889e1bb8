// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package exact computes elementary functions with the same bits on every processor.
//
// The functions of package math differ in the last bit between processors: some are assembly, and the compiler may
// fuse x*y + z into one operation with one rounding, which arm64, ppc64, riscv64, s390x, and amd64 with GOAMD64=v3
// have. Package exact has no assembly, and rounds every product with an explicit conversion, as in float64(x*y) + z,
// which prevents the fusion. Its other operations (+, -, /, math.Float64bits, math.Ldexp) are exact or correctly
// rounded everywhere by IEEE 754.
//
// Largest errors, in units in the last place: Exp and Exp2 .54, Pow .6, Log .75, Expm1 and Log1p .85, Log2 1.6, and
// Lgamma 2. The tests measure them against 240-bit arithmetic. docs/adr/012-exact-math.md has the cost.
package exact
