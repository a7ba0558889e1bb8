// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package mask

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMask(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"paid with 4111111111111111", "paid with <*>"},
		{"paid with 4111 1111 1111 1111, thanks", "paid with <*>, thanks"},
		{"paid with 5500-0000-0000-0004.", "paid with <*>."},
		{"ratio 5500000000000004.5", "ratio 5500000000000004.5"},
		{"pan=378282246310005;", "pan=<*>;"},
		{"paid with 4111111111111112", "paid with 4111111111111112"},
		{"at 1733144420011 ms", "at 1733144420011 ms"},
		{"part prt_4111111111111111", "part prt_4111111111111111"},
		{"steps 6013 5211 1700 3101", "steps 6013 5211 1700 3101"},
		{"mail from jane.doe+x@example.co.uk failed", "mail from <*> failed"},
		{"<a@b.org>, c@d.net", "<<*>>, <*>"},
		{"object com.acme.Thing@7c31f09", "object com.acme.Thing@7c31f09"},
		{"Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer <*>"},
		{"got bearer abcdefghijklmnop here", "got bearer <*> here"},
		{"password=hunter2 user=x", "password=<*> user=x"},
		{`{"api_key": "aZ93kd83jd"}`, `{"api_key": "<*>"}`},
		{"token: expired", "token: expired"},
		{"Failed password for root", "Failed password for root"},
		{"using ghp_0123456789abcdefABCD ok", "using <*> ok"},
		{"key AKIAIOSFODNN7EXAMPLE used", "key <*> used"},
		{"the risk-assessment of a sk-learn task", "the risk-assessment of a sk-learn task"},
		{"steps 4013 5211 1700 3102 17", "steps 4013 5211 1700 3102 17"},
		{"pin 3782 822463 10005 ok", "pin <*> ok"},
		{"X-API-Key: aZ93kd83jd, PASSWORD=x", "X-API-Key: <*>, PASSWORD=<*>"},
		{"mytoken=abc my-token=abc", "mytoken=abc my-token=<*>"},
		{"4111 1111 1111 1111 0@0.A", "<*> <*>"},
		{"", ""},
	} {
		assert.Equal(t, c.want, Default().Mask(c.line), c.line)
	}
}

func TestPatternsOfTheUser(t *testing.T) {
	m, err := New([]string{`cust-\w+`, `\bMRN\d+`})
	require.NoError(t, err)
	assert.Equal(t, "<*> has <*> and <*>", m.Mask("cust-abc has MRN123 and a@b.org"))
	for _, bad := range []string{"(", "x*"} {
		_, err := New([]string{bad})
		assert.ErrorContains(t, err, bad)
	}
}

func TestMaskAllocatesNothingForAPlainLine(t *testing.T) {
	line := "Moving part prt_4471902873300912345 from: /10.7.40.2:41872 to: /10.7.40.9:7001, next"
	assert.Zero(t, testing.AllocsPerRun(100, func() { Default().Mask(line) }))
	assert.Zero(t, testing.AllocsPerRun(100, func() { Default().Mask("steps 6013 5211 1700 3101") }))
}

func FuzzMask(f *testing.F) {
	f.Add("4111 1111 1111 1111 a@b.org password=x Bearer abcdefghijklmnop")
	f.Fuzz(func(t *testing.T, line string) {
		once := Default().Mask(line)
		assert.Equal(t, once, Default().Mask(once), "what is hidden stays hidden, and nothing more")
	})
}

func BenchmarkMask(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Default().Mask("Moving part prt_4471902873300912345 from: /10.7.40.2:41872 to: /10.7.40.9:7001, next")
	}
}

// corpus returns the lines of a file in testdata without the first, which is a comment.
func corpus(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	require.True(t, strings.HasPrefix(lines[0], "#"))
	return lines[1:]
}

func TestSecretsAreHidden(t *testing.T) {
	lines := corpus(t, "secrets.txt")
	assert.GreaterOrEqual(t, len(lines), 60)
	for _, l := range lines {
		secret, line, ok := strings.Cut(l, "\t")
		require.True(t, ok && strings.Contains(line, secret), l)
		line = strings.ReplaceAll(line, `\n`, "\n")
		for _, around := range []string{line, "2026-01-02T15:04:05Z INFO " + line, line + " done", line + "\nnext"} {
			masked := Default().Mask(around)
			assert.NotContains(t, masked, secret)
			assert.Contains(t, masked, Hidden)
		}
	}
}

func TestOrdinaryLinesStay(t *testing.T) {
	for _, line := range corpus(t, "ordinary.txt") {
		assert.Equal(t, line, Default().Mask(line))
		assert.Equal(t, "x "+line+" y", Default().Mask("x "+line+" y"))
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`Post "http://user:pw@host:9090/api/v1/write?token=abc": EOF`, `Post "http://host:9090/api/v1/write": EOF`},
		{"dial https://pw@host?a=b#c, then http://x/y#z.", "dial https://host, then http://x/y."},
		{"http://u:p@[::1]:80/", "http://[::1]:80/"},
		{"http://a?b=c: refused", "http://a: refused"},
		{"no address, a@b?", "no address, a@b?"},
		{"://", "://"},
	} {
		assert.Equal(t, c.want, Addresses(c.text))
	}
}

func TestErrorKeepsItsChain(t *testing.T) {
	inner := &url.Error{Op: "Post", URL: "http://host/?token=abc", Err: io.EOF}
	err := Error(fmt.Errorf("write: %w", inner))
	require.EqualError(t, err, `write: Post "http://host/": EOF`)
	require.ErrorIs(t, err, io.EOF)
	plain := errors.New("plain")
	assert.Same(t, plain, Error(plain))
	assert.NoError(t, Error(nil))
}
