// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
)

// labels holds the group and the template of each line.
type labels struct{ group, template []string }

// scores compares labels with the truth. A group is correct if it has exactly the lines of a true group.
type scores struct {
	ga  float64 // share of lines in correct groups
	fga float64 // F1 of correct groups
	fta float64 // F1 of correct groups with the correct template
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

// f1 returns the harmonic mean of right/said and right/truth.
func f1(right, said, truth int) float64 { return 2 * float64(right) / float64(said+truth) }

// normal returns a template with single spaces and without consecutive wildcards.
func normal(template string) string {
	t := strings.Join(strings.Fields(template), " ")
	for strings.Contains(t, "<*><*>") {
		t = strings.ReplaceAll(t, "<*><*>", "<*>")
	}
	return t
}
