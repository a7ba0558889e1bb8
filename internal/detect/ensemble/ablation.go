// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build ablation

package ensemble

import (
	"maps"
	"slices"
)

// This file is only for the report eval/ablation. The build tag excludes it from every other binary, so that no
// caller of the product can change the results of a model.

var parts = map[string]int{
	"error": viewError, "slow": viewSlow, "average": viewAverage, "value": viewValue, "short": viewShort, "long": viewLong,
	"drift": viewDrift, "spread": viewSpread, "hour": viewHour, "six": viewSix, "still": expertStill, "jump": expertJump,
}

var (
	allExperts     = slices.Clone(experts)
	shippedWeights = weights
)

// Parts returns the names of the views and experts, sorted.
func Parts() []string { return slices.Sorted(maps.Keys(parts)) }

// LeaveOut removes one part from the evidence of all models; "" restores all. Its
// use in holds remains. No model may observe meanwhile.
func LeaveOut(name string) {
	weights, experts, allWeights = shippedWeights, slices.Clone(allExperts), 0
	if k, ok := parts[name]; ok {
		if k < views {
			weights[k] = 0
		}
		experts = slices.DeleteFunc(experts, func(e int) bool { return e == k })
	}
	for _, w := range weights {
		allWeights += w
	}
}
