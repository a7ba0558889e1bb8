// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/auspex-otel/auspex/internal/mask"
	"github.com/auspex-otel/auspex/internal/template/hash"
	"github.com/auspex-otel/auspex/internal/template/scan"
)

// Config configures a miner.
type Config struct {
	// MaxTemplates bounds the kept templates, including parts of others.
	MaxTemplates int
	// Mask removes sensitive text from templates and examples. The default is mask.Default.
	Mask *mask.Masker
	// NoExamples disables examples of templates.
	NoExamples bool
}

// DefaultConfig returns the settings for all sources.
func DefaultConfig() Config { return Config{MaxTemplates: 20_000, Mask: mask.Default()} }

// Validate returns an error if a setting is invalid.
func (c Config) Validate() error {
	if c.MaxTemplates < 100 || c.MaxTemplates > 1<<20 {
		return errors.New("max_templates must be between 100 and 1048576")
	}
	return nil
}

// ID identifies a template. It is a hash of the service and the skeleton of the template's first
// line.
type ID uint64

// String returns 16 hexadecimal digits.
func (id ID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

// Match is the result of Observe for one line.
type Match struct {
	ID       ID     // of the line's skeleton
	Final    ID     // of the template that contains this one, or ID itself
	Template string // current text of Final
	New      bool   // no similar template was known
}

// Miner assigns lines to templates. It is not safe for concurrent use.
type Miner struct {
	cfg     Config
	scanner scan.Scanner
	masked  scan.Scanner
	skel    scan.Skeleton
	buf     []byte
	cells   []scan.Cell
	words   []scan.Cell // of the skeleton that families processes
	spans   []span
	nodes   []node
	free    []int32
	byID    map[ID]int32
	columns map[uint64]column
	cache   []slot // nil before the first line
	young   queue  // seen once or not often enough
	settled queue
	current int32 // node of the last line
	seen    uint64
	evicted uint64
	roots   int
}

// node is one template.
type node struct {
	id       ID
	parent   int32 // template that contains it, or none
	kids     int32 // number of nodes with it as parent
	uses     uint8 // since the queue was last processed
	service  string
	text     string
	strict   uint64 // hash of the text without digits at the end of words
	skeleton string
	example  string
	slots    []uint8  // maps its wildcards to those of the parent
	keys     []uint64 // of its columns
	kin      []uint64 // keys of its families
	words    uint32   // its cells that are wildcards for words
	from     []uint64 // the columns whose words it merged
	count    uint64
	last     uint64 // number of its last line
}

const none = int32(-1)

// New returns an empty miner.
func New(cfg Config) *Miner {
	if cfg.Mask == nil {
		cfg.Mask = mask.Default()
	}
	return &Miner{cfg: cfg, byID: map[ID]int32{}, columns: map[uint64]column{}}
}

// newCache returns an empty cache for so many templates.
func newCache(templates int) []slot {
	size := 1024
	for size < templates {
		size *= 2
	}
	return make([]slot, size)
}

// slot caches the node of a shape. A wrong or missing slot only costs time.
type slot struct {
	shape uint64
	id    ID
	node  int32
}

// Observe processes one line of a service.
func (m *Miner) Observe(service, line string) Match {
	m.seen++
	m.scanner.Scan(line)
	if m.scanner.Escaped() {
		line = scan.WithoutEscapes(line)
		m.scanner.Scan(line)
	}
	if m.cache == nil { // a shard or a series may have no logs
		m.cache = newCache(m.cfg.MaxTemplates)
	}
	shape := m.scanner.Shape(hash.String(hash.K2, service))
	s := &m.cache[shape&uint64(len(m.cache)-1)]
	born := false
	if n := s.node; s.shape != shape || int(n) >= len(m.nodes) || m.nodes[n].id != s.id {
		s.node, born = m.learn(service, line)
		s.shape, s.id = shape, m.nodes[s.node].id
	}
	m.current = s.node
	return m.touch(s.node, born)
}

// touch counts a line of a node.
func (m *Miner) touch(i int32, born bool) Match {
	n := &m.nodes[i]
	id := n.id
	n.count++
	n.last = m.seen
	n.uses = min(n.uses+1, maxUses)
	if n.parent != none {
		i = m.root(i)
		n = &m.nodes[i]
		n.count++
		n.last = m.seen
		n.uses = min(n.uses+1, maxUses)
	}
	return Match{ID: id, Final: n.id, Template: n.text, New: born}
}

// root returns the final template that contains a node.
func (m *Miner) root(i int32) int32 {
	for m.nodes[i].parent != none {
		i = m.nodes[i].parent
	}
	return i
}

// learn returns the node of the scanned line, and reports whether it is new.
func (m *Miner) learn(service, line string) (int32, bool) {
	s := &m.scanner
	if safe := m.cfg.Mask.Mask(strings.ToValidUTF8(line, "\uFFFD")); safe != line {
		line, s = safe, &m.masked
		s.Scan(line)
	}
	m.skel.Read(s)
	id := identify(service, m.skel.Text)
	if i, ok := m.byID[id]; ok {
		m.widen(i, s)
		return i, false
	}
	n := node{id: id, parent: none, service: strings.Clone(service[:min(len(service), maxService)]), skeleton: string(m.skel.Text), example: m.example(line)}
	n.text = m.share(s.AppendText(m.buf[:0], false), n.skeleton)
	n.strict = hash.String(hash.K0, string(s.AppendText(m.buf[:0], true)))
	i := m.add(n)
	return i, m.place(i)
}

// share returns b as a string, without a copy if it equals known.
func (m *Miner) share(b []byte, known string) string {
	m.buf = b
	if string(b) == known {
		return known
	}
	return string(b)
}

// widen generalizes the text of a node if a line requires it: first digits at the end of words,
// then everything that the skeleton leaves open.
func (m *Miner) widen(i int32, s *scan.Scanner) {
	n := &m.nodes[i]
	if n.parent != none || n.text == n.skeleton {
		return
	}
	if m.buf = s.AppendText(m.buf[:0], false); string(m.buf) == n.text {
		return
	}
	m.buf = s.AppendText(m.buf[:0], true)
	if hash.String(hash.K0, string(m.buf)) == n.strict {
		n.text = string(m.buf)
	} else {
		n.text = n.skeleton
	}
}

// maxExample bounds the example of a template, in bytes.
const maxExample = 256

// example returns the example for a line: valid UTF-8 in its own memory.
func (m *Miner) example(line string) string {
	if m.cfg.NoExamples {
		return ""
	}
	if len(line) > maxExample {
		line = line[:maxExample]
	}
	return strings.ToValidUTF8(strings.Clone(line), "")
}

func identify(service string, skeleton []byte) ID {
	return ID(hash.Mix(hash.String(hash.String(hash.K1, service), string(skeleton)), hash.K2))
}

// Resolve returns the template that contains id, or id itself.
func (m *Miner) Resolve(id ID) ID {
	if i, ok := m.byID[id]; ok {
		return m.nodes[m.root(i)].id
	}
	return id
}

// Info describes a template.
type Info struct {
	ID       ID
	Service  string
	Template string
	Example  string
	Count    uint64 // lines, including those of its parts
	Last     uint64 // number of its last line
}

// Stats holds totals.
type Stats struct {
	Lines     uint64
	Templates int    // that are not part of another
	Evicted   uint64 // removed to make room
}

// Stats returns the totals since the miner was created.
func (m *Miner) Stats() Stats { return Stats{Lines: m.seen, Templates: m.roots, Evicted: m.evicted} }

// All returns every template that is not a part of another, ordered by id.
func (m *Miner) All() []Info {
	list := make([]Info, 0, m.roots)
	for i := range m.nodes {
		if n := &m.nodes[i]; n.skeleton != "" && n.parent == none {
			list = append(list, n.info())
		}
	}
	slices.SortFunc(list, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (n *node) info() Info {
	return Info{ID: n.id, Service: n.service, Template: n.text, Example: n.example, Count: n.count, Last: n.last}
}

// Lookup returns the template that is or contains id, if it is kept.
func (m *Miner) Lookup(id ID) (Info, bool) {
	i, ok := m.byID[id]
	if !ok {
		return Info{}, false
	}
	return m.nodes[m.root(i)].info(), true
}
