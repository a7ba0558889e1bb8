// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package esbulk

import (
	"fmt"
	"slices"
	"strings"
)

// Selection is the part of an answer that filter_path selects. The zero value selects all.
type Selection struct {
	include, exclude [][]string
}

// maxFilter bounds a filter_path in bytes. Clients send a few hundred.
const maxFilter = 4 << 10

// Select parses the parameter filter_path: comma-separated patterns of dotted names. * matches a
// part of a name, ** matches any names, and a leading - excludes. It returns an error if the
// parameter is too long.
func Select(filterPath string) (s Selection, err error) {
	if len(filterPath) > maxFilter {
		return s, fmt.Errorf("filter_path has %d bytes, the limit is %d", len(filterPath), maxFilter)
	}
	for pattern := range strings.SplitSeq(filterPath, ",") {
		pattern = strings.TrimSpace(pattern)
		if rest, out := strings.CutPrefix(pattern, "-"); out {
			s.exclude = append(s.exclude, strings.Split(rest, "."))
		} else if pattern != "" {
			s.include = append(s.include, strings.Split(pattern, "."))
		}
	}
	return s, nil
}

// Keep reports whether a field without nested fields is kept.
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

// matches reports whether a pattern matches a name or a containing object.
func matches(pattern, name []string) bool {
	return wildcard(pattern, name, true, func(p string) bool { return p == "**" }, func(p, part string) bool {
		return wildcard([]byte(p), []byte(part), false, func(b byte) bool { return b == '*' }, func(p, b byte) bool { return p == b })
	})
}

// wildcard reports whether a pattern matches a name, or with prefix the beginning of a name. Each
// wildcard matches any number of elements. It takes at most len(pattern) × len(name) steps: it
// returns only to the last wildcard, because a longer match of an earlier one cannot help.
func wildcard[E any](pattern, name []E, prefix bool, isWild func(E) bool, same func(p, n E) bool) bool {
	p, n, lastWild, resume := 0, 0, -1, 0
	for {
		switch {
		case p == len(pattern) && (prefix || n == len(name)):
			return true
		case p < len(pattern) && isWild(pattern[p]):
			lastWild, resume = p, n
			p++
		case p < len(pattern) && n < len(name) && same(pattern[p], name[n]):
			p++
			n++
		case lastWild < 0 || resume == len(name):
			return false
		default:
			resume++
			p, n = lastWild+1, resume
		}
	}
}

// Of returns the selected part of an object. Lists have no name of their own. Empty objects are
// omitted.
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
