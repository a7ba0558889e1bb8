// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// format is one common log format with ten shapes. Each shape renders one record with values from the pools.
type format struct {
	name   string
	head   func(*values) string // written before each shape, if set
	shapes []func(*values) string
}

// poolSize is the number of different values that each pool holds.
const poolSize = 1000

// values draws the variable parts of records. The same seed gives the same values.
type values struct {
	rng                                           *rand.Rand
	users, hosts, paths, agents, sizes, sentences []string
}

func newValues(seed uint64) *values {
	v := &values{rng: newRand(seed)}
	v.users, v.hosts, v.paths = v.pool(v.makeName), v.pool(v.makeHost), v.pool(v.makePath)
	v.agents, v.sizes, v.sentences = v.pool(v.makeAgent), v.pool(v.makeSize), v.pool(v.makeSentence)
	return v
}

// pool returns poolSize different results of draw.
func (v *values) pool(draw func() string) []string {
	seen, list := map[string]bool{}, []string(nil)
	for len(list) < poolSize {
		if s := draw(); !seen[s] {
			seen[s] = true
			list = append(list, s)
		}
	}
	return list
}

func (v *values) pick(list ...string) string { return list[v.rng.IntN(len(list))] }
func (v *values) n(limit int) int            { return v.rng.IntN(limit) }
func (v *values) user() string               { return v.pick(v.users...) }
func (v *values) host() string               { return v.pick(v.hosts...) }
func (v *values) path() string               { return v.pick(v.paths...) }
func (v *values) agent() string              { return v.pick(v.agents...) }
func (v *values) size() string               { return v.pick(v.sizes...) }
func (v *values) sentence() string           { return v.pick(v.sentences...) }

func (v *values) address() string {
	return fmt.Sprintf("%d.%d.%d.%d", 1+v.n(223), v.n(256), v.n(256), 1+v.n(254))
}

func (v *values) clock() string { return fmt.Sprintf("%02d:%02d:%02d", v.n(24), v.n(60), v.n(60)) }

func (v *values) uuid() string {
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", v.rng.Uint32(), v.n(1<<16), v.n(1<<16), v.n(1<<16), v.rng.Uint64()>>16)
}

var syllables = strings.Fields("ba be bi bo da de do fa fe ga go ka ke ko la le lo ma me mi mo na ne no pa pe ra re ri ro sa se so ta te to va ve vo za zu")

func (v *values) makeName() string {
	return v.pick(syllables...) + v.pick(syllables...) + v.pick(syllables...)
}

func (v *values) makeHost() string {
	switch v.n(3) {
	case 0:
		return v.makeName()
	case 1:
		return fmt.Sprintf("%s-%d", v.makeName(), v.n(40))
	}
	return v.makeName() + "." + v.makeName() + ".example.com"
}

func (v *values) makePath() string {
	var b strings.Builder
	for range 1 + v.n(4) {
		b.WriteString("/" + v.makeName())
	}
	return b.String() + v.pick("", "", ".html", ".log", "/", "?id="+v.makeName())
}

func (v *values) makeAgent() string {
	switch v.n(4) {
	case 0:
		return fmt.Sprintf("Mozilla/5.0 (%s; rv:%d.0) Gecko/20100101 Firefox/%d.0", v.pick("X11; Linux x86_64", "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7"), 40+v.n(90), 40+v.n(90))
	case 1:
		return fmt.Sprintf("Mozilla/5.0 (Linux; Android %d; %s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.%d.0 Mobile Safari/537.36", 5+v.n(10), v.makeName(), 60+v.n(70), v.n(5000))
	case 2:
		return fmt.Sprintf("Mozilla/5.0 (compatible; %sbot/%d.%d; +http://www.%s.example/bot.html)", v.makeName(), v.n(9), v.n(9), v.makeName())
	}
	return fmt.Sprintf("%s/%d.%d.%d", v.makeName(), v.n(9), v.n(20), v.n(20))
}

func (v *values) makeSize() string {
	return fmt.Sprintf("%d%s", 1+v.n(9999), v.pick("", "", "B", "kB", " MiB"))
}

var vocabulary = strings.Fields(`the a this that with from into over under because after before while cache index order cart user token lock queue
buffer record segment leader replica shard session request response payment stock price invoice parcel picture thumbnail letter batch
slow late empty missing broken old new large small partial unknown expected wrong busy idle full cold warm valid invalid
waits reads writes sends moves holds needs finds loses drops keeps sees asks tells retries answers refuses belongs grows shrinks`)

// makeSentence returns 3 to 8 words.
func (v *values) makeSentence() string {
	words := make([]string, 3+v.n(6))
	for i := range words {
		words[i] = v.pick(vocabulary...)
	}
	return strings.Join(words, " ")
}

var formats = []format{accessFormat, nginxFormat, syslogFormat, journaldFormat, klogFormat, javaFormat, pythonFormat, windowsFormat}

// record renders one record of the format.
func (f format) record(v *values) string {
	s := f.shapes[v.n(len(f.shapes))](v)
	if f.head != nil {
		return f.head(v) + s
	}
	return s
}
