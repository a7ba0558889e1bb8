// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The scenarios of internal/template test the results for lines. These tests check the other
// guarantees of the package.

func read(line string) (s Scanner, k Skeleton) {
	s.Scan(line)
	k.Read(&s)
	return s, k
}

func TestTextAndSkeleton(t *testing.T) {
	for _, c := range []struct{ line, text, strict, skeleton string }{
		{"order 17 took 3 ms", "order <*> took <*> ms", "order <*> took <*> ms", "order <*> took <*>"},
		{"user= id=4", "user= id=<*>", "user= id=<*>", "user=<*> id=<*>"},
		{"ssh2 opened", "ssh2 opened", "ssh<*> opened", "ssh<*> opened"},
		{"moved prt_12 prt_13", "moved prt_<*> prt_<*>", "moved prt_<*> prt_<*>", "moved prt_<*>"},
	} {
		s, k := read(c.line)
		assert.Equal(t, c.text, string(s.AppendText(nil, false)))
		assert.Equal(t, c.strict, string(s.AppendText(nil, true)))
		assert.Equal(t, c.skeleton, string(k.Text))
	}
}

func TestPlaces(t *testing.T) {
	_, k := read("load: 0.1 0.2 of 3 disks")
	assert.Equal(t, []Place{{0, 0}, {0, 1}, {1, 0}}, k.Places)
}

func TestShapeTellsTextsApart(t *testing.T) {
	shape := func(line string) uint64 {
		s, _ := read(line)
		return s.Shape(1)
	}
	assert.Equal(t, shape("order 17 done"), shape("order 4 done"))
	assert.NotEqual(t, shape("order 17 done"), shape("order 17 lost"))
	assert.NotEqual(t, shape("order 17"), shape("order17"))
	assert.NotEqual(t, shape("id= x"), shape("id=4 x"))
}

func TestParams(t *testing.T) {
	for _, c := range []struct {
		line string
		want []Param
	}{
		{"took 123 ms of 4.5s, -7 left, 45% done", []Param{{0, 0, 123, ""}, {1, 0, 4.5, ""}, {1, 1, -7, ""}, {2, 0, 45, ""}}},
		{"load: 0.1 0.2", []Param{{0, 0, .1, ""}, {0, 1, .2, ""}}},
		{"version 1.2.3 of 0x1f at 007 or deadbeef12", nil},
		{"order 1733144420011 of prt_17", []Param{{1, 0, 17, ""}}},
		{"slot3 has 64MB", []Param{{0, 0, 3, ""}, {1, 0, 64, ""}}},
		{"plain", nil},
		{`size=3 took = 4ms user=x7y rest: 8`, []Param{{0, 0, 3, "size"}, {1, 0, 4, "took"}, {3, 0, 8, ""}}},
		{`{"bytes":12,"state":"x","retries":"3"}`, []Param{{0, 0, 12, "bytes"}, {2, 0, 3, "retries"}}},
	} {
		var s Scanner
		s.Scan(c.line)
		assert.Equal(t, c.want, s.AppendParams(nil, &Skeleton{}), c.line)
	}
}

func TestLongLineEndsInOneVariable(t *testing.T) {
	for _, line := range []string{strings.Repeat("é", MaxLine), "x" + strings.Repeat("é", MaxLine), strings.Repeat("a ", maxTokens+1)} {
		s, k := read(line)
		assert.LessOrEqual(t, len(s.Line()), MaxLine)
		assert.True(t, strings.HasPrefix(line, s.Line()))
		assert.True(t, strings.HasSuffix(string(k.Text), Wildcard))
	}
}

func TestEscapesAreRemoved(t *testing.T) {
	const line = "\x1b[31mred\x1b[0m #033[1mbold#033[0m"
	s, _ := read(line)
	assert.True(t, s.Escaped())
	assert.Equal(t, "red bold", WithoutEscapes(line))
	s.Scan("plain [1]")
	assert.False(t, s.Escaped())
}

func TestCells(t *testing.T) {
	const skeleton = `a_<*>: "<*>" of 用户<*> x`
	var got []string
	for _, c := range AppendCells(nil, skeleton) {
		got = append(got, skeleton[c.Start:c.End]+"|"+skeleton[c.Next(skeleton):])
	}
	assert.Equal(t, []string{
		`a_<*>|"<*>" of 用户<*> x`, `<*>|of 用户<*> x`, `of|用户<*> x`, `用户|x`, `<*>|x`, `x|`,
	}, got)
	one := []Cell{{Start: 7}}
	assert.Len(t, AppendCells(one, strings.Repeat("a ", 2*MaxCells)), 1+MaxCells, "what dst holds does not count")
}

func TestLook(t *testing.T) {
	for text, want := range map[string]Look{
		"order": Plain, "<*>": Wild, "prt_<*>": Shaped, "a.b": Shaped, "closed": Enum, "READ-ONLY": Enum, "x": Enum, "用户": Enum,
	} {
		skeleton := "went " + text
		c := AppendCells(nil, skeleton)[1]
		assert.Equal(t, want, c.Look(skeleton), text)
	}
	const named = "user: 用户"
	assert.Equal(t, Plain, AppendCells(nil, named)[1].Look(named))
}

func TestOutcomes(t *testing.T) {
	assert.Equal(t, Good, OutcomeOf("Accepted"))
	assert.Equal(t, Bad, OutcomeOf("DENIED"))
	assert.Equal(t, Neutral, OutcomeOf("order"))
	assert.Equal(t, Good|Bad, OutcomesIn("login ok, payment failed"))
}

// FuzzScan checks that tokens are in the line in order, that each variable has a place, and that
// no state of the previous line remains.
func FuzzScan(f *testing.F) {
	for _, line := range []string{
		"10.1.2.3:7001 handed part prt_-17 over to /10.1.2.4", `key=value, other = "a b", empty= x=`, `{"a":1,"b":"x"}`, "00 01 02 03 04 05 0a",
		"Mar  2 10:00:00 host sshd[17]: user ann from 10.0.0.1", "…é\xff\x00 「a b」 用户", "<*> x<*>y <1 sec () - 'x'", strings.Repeat("a1 ", maxTokens),
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		s, k := read(line)
		at, variables := int32(0), 0
		for _, token := range s.tokens {
			require.LessOrEqual(t, at, token.start)
			require.LessOrEqual(t, token.start, token.end)
			at = token.end
			if token.kind == variable || token.kind == soft {
				variables++
			}
		}
		require.LessOrEqual(t, int(at), len(line))
		require.Len(t, k.Places, variables)
		for _, c := range AppendCells(nil, string(k.Text)) {
			require.Less(t, c.Start, c.End)
			require.GreaterOrEqual(t, c.Next(string(k.Text)), c.End)
			c.Look(string(k.Text))
		}
		var other Skeleton
		s.ScanSkeleton(string(k.Text))
		other.Read(&s)
		s.Scan(line)
		other.Read(&s)
		require.Equal(t, string(k.Text), string(other.Text))
		require.Equal(t, k.Places, other.Places)
	})
}
