// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import "strings"

// MaxCells bounds the cells of a skeleton. The rest of the skeleton has none.
const MaxCells = 32

// Cell is the part [Start,End) of a skeleton: a word, a wildcard, or both without a space or mark between them.
type Cell struct {
	Start, End int
	Letters    int // outside wildcards
}

// IsWord reports whether the cell contains a word of at least two letters.
func (c Cell) IsWord() bool { return c.Letters > 1 }

// AppendCells appends the first cells of a skeleton, at most MaxCells.
func AppendCells(dst []Cell, skeleton string) []Cell {
	from := len(dst)
	for i := 0; i < len(skeleton) && len(dst)-from < MaxCells; {
		j, letters := i, 0
		for j < len(skeleton) {
			if f := classes[skeleton[j]]; f != 0 {
				if j > i && isBoundary(skeleton[i:j], skeleton[j:]) {
					break
				}
				letters += btoi(f&alpha != 0)
				j++
			} else if strings.HasPrefix(skeleton[j:], Wildcard) && !(j > i && isBoundary(skeleton[i:j], skeleton[j:])) {
				j += len(Wildcard)
			} else {
				break
			}
		}
		if letters > 0 || j >= i+len(Wildcard) && skeleton[i] == '<' {
			dst = append(dst, Cell{i, j, letters})
		}
		i = max(j, i+1)
	}
	return dst
}

// Next returns the start of the text after the cell: after the directly following marks and
// wildcards, and the spaces after those.
func (c Cell) Next(skeleton string) int {
	i := c.End
	for i < len(skeleton) && skeleton[i] > ' ' && (classes[skeleton[i]] == 0 || skeleton[i] == '*') {
		i++
	}
	for i < len(skeleton) && skeleton[i] == ' ' {
		i++
	}
	return i
}

// Look is the kind of text that a cell resembles.
type Look uint8

// The kinds.
const (
	Plain  Look = iota // a word of a language
	Wild               // a wildcard without letters
	Shaped             // a value: it contains a wildcard or marks between letters
	Enum               // a word from a list in a program: an action, all capitals, or a single letter
	looks
)

// Looks counts cells by kind.
type Looks [looks]int

// Look returns the kind of the cell in the skeleton. A word of a script without spaces is Enum
// unless it is in the place of a value, because it may be a verb.
func (c Cell) Look(skeleton string) Look {
	switch s := strings.Trim(skeleton[c.Start:c.End], "._-/"); {
	case c.Letters == 0:
		return Wild
	case isDenseText(s) && !isValuePlace(skeleton[:c.Start]):
		return Enum
	case strings.Contains(s, "<") || strings.ContainsAny(s, "_./@$"):
		return Shaped
	case strings.HasSuffix(s, "ed") || strings.HasSuffix(s, "ing") || within(s, upper|joiner) || len(s) < 3:
		return Enum
	}
	return Plain
}

// isValuePlace reports whether a value follows the text, which then ends with a colon, =, an
// opening bracket, or a quotation mark.
func isValuePlace(before string) bool {
	before = strings.TrimRight(before, " ")
	for _, end := range []string{":", "=", "(", "[", "\"", "'", "：", "（", "【"} {
		if strings.HasSuffix(before, end) {
			return true
		}
	}
	return false
}
