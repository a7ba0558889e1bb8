// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package esbulk

import (
	"path"
	"slices"
	"strings"
)

// Selection is what the parameter filter_path leaves of an answer. The zero value leaves all.
type Selection struct {
	include, exclude [][]string
}

// Select reads the parameter filter_path: patterns of dotted names with commas
// between them, where * stands for any part of a name, ** for any names, and a
// leading - takes out.
func Select(filterPath string) Selection {
	const most = 64 // patterns; a client has a handful
	var s Selection
	for i, pattern := range strings.Split(filterPath, ",") {
		if i == most {
			break
		}
		pattern = strings.TrimSpace(pattern)
		if rest, out := strings.CutPrefix(pattern, "-"); out {
			s.exclude = append(s.exclude, strings.Split(rest, "."))
		} else if pattern != "" {
			s.include = append(s.include, strings.Split(pattern, "."))
		}
	}
	return s
}

// Keep tells whether a field without others inside is kept.
func (s Selection) Keep(name ...string) bool {
	for _, p := range s.exclude {
		if matches(p, name) {
			return false
		}
	}
	for _, p := range s.include {
		if matches(p, name) {
			return true
		}
	}
	return len(s.include) == 0
}

// matches tells whether a pattern stands for a name or for something that it is in.
func matches(pattern, name []string) bool {
	switch {
	case len(pattern) == 0:
		return true
	case pattern[0] == "**":
		for i := range len(name) + 1 {
			if matches(pattern[1:], name[i:]) {
				return true
			}
		}
		return false
	case len(name) == 0:
		return false
	}
	ok, err := path.Match(pattern[0], name[0])
	return err == nil && ok && matches(pattern[1:], name[1:])
}

// Of leaves of an object what is selected. Lists have no name of their own, and what is empty then is left out.
func (s Selection) Of(object map[string]any) map[string]any {
	if len(s.include)+len(s.exclude) == 0 {
		return object
	}
	kept, _ := s.of(object, nil).(map[string]any)
	if kept == nil {
		return map[string]any{}
	}
	return kept
}

func (s Selection) of(v any, name []string) any {
	switch v := v.(type) {
	case map[string]any:
		kept := map[string]any{}
		for k, inner := range v {
			if left := s.of(inner, append(slices.Clip(name), k)); left != nil {
				kept[k] = left
			}
		}
		if len(kept) > 0 {
			return kept
		}
	default:
		if s.Keep(name...) {
			return v
		}
	}
	return nil
}
