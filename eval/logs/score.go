// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
)

// labels are the group and the template of each line.
type labels struct{ group, template []string }

// scores compare labels with the truth. A group is right if it has exactly the lines of a true group.
type scores struct {
	ga  float64 // share of lines in right groups
	fga float64 // F1 of right groups
	fta float64 // F1 of right groups with the right template
}

func score(truth, said labels) scores {
	trueGroups, saidGroups := members(truth.group), members(said.group)
	lines, groups, templates := 0, 0, 0
	for _, group := range saidGroups {
		first := group[0]
		if !slices.Equal(group, trueGroups[truth.group[first]]) {
			continue
		}
		lines += len(group)
		groups++
		if normal(said.template[first]) == normal(truth.template[first]) {
			templates++
		}
	}
	return scores{
		ga:  float64(lines) / float64(len(truth.group)),
		fga: f1(groups, len(saidGroups), len(trueGroups)),
		fta: f1(templates, len(saidGroups), len(trueGroups)),
	}
}

// members returns the lines of each group, in order.
func members(group []string) map[string][]int {
	m := map[string][]int{}
	for i, g := range group {
		m[g] = append(m[g], i)
	}
	return m
}

// f1 is the harmonic mean of right/said and right/truth.
func f1(right, said, truth int) float64 { return 2 * float64(right) / float64(said+truth) }

// normal is a template with single spaces and no wildcard right behind another.
func normal(template string) string {
	t := strings.Join(strings.Fields(template), " ")
	for strings.Contains(t, "<*><*>") {
		t = strings.ReplaceAll(t, "<*><*>", "<*>")
	}
	return t
}
