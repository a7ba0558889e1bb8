// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package esbulk

import "strconv"

// Outcome is the result of an item.
type Outcome struct {
	Op        Op
	Index, ID string
	Result
}

// Done returns the result of a successful operation in Elasticsearch's terms.
func (o Op) Done() string {
	if o == Update {
		return "updated"
	}
	return "created"
}

// Answer encodes the selected parts of the answer to a request.
type Answer struct {
	took, errors, items bool
	fields              map[Op]selected
}

// selected holds the fields of an item that are written.
type selected struct {
	index, id, version, result, shards, seq, term, status, kind, reason bool
}

// NewAnswer returns an encoder for a selection.
func NewAnswer(s Selection) *Answer {
	a := &Answer{took: s.Keep("took"), errors: s.Keep("errors"), fields: map[Op]selected{}}
	for _, op := range []Op{Create, Index, Update, Delete} {
		keep := func(name ...string) bool { return s.Keep(append([]string{"items", string(op)}, name...)...) }
		f := selected{
			index: keep("_index"), id: keep("_id"), version: keep("_version"), result: keep("result"), shards: keep("_shards", "total"),
			seq: keep("_seq_no"), term: keep("_primary_term"), status: keep("status"), kind: keep("error", "type"), reason: keep("error", "reason"),
		}
		a.fields[op] = f
		a.items = a.items || f != selected{}
	}
	return a
}

// Append appends the answer for items, in order.
func (a *Answer) Append(dst []byte, tookMillis int64, outcomes []Outcome) []byte {
	failed := false
	for i := range outcomes {
		failed = failed || outcomes[i].Status > 299
	}
	o := object{append(dst, '{')}
	if a.errors {
		o.key("errors")
		o.b = strconv.AppendBool(o.b, failed)
	}
	if a.took {
		o.number("took", tookMillis)
	}
	if a.items {
		o.key("items")
		o.b = append(o.b, '[')
		for i := range outcomes {
			if out := a.item(&o, &outcomes[i]); out {
				o.b = append(o.b, ',')
			}
		}
		if o.b[len(o.b)-1] == ',' {
			o.b = o.b[:len(o.b)-1]
		}
		o.b = append(o.b, ']')
	}
	return append(o.b, '}')
}

// item appends one item, unless nothing of it is selected.
func (a *Answer) item(o *object, out *Outcome) bool {
	f := a.fields[out.Op]
	start := len(o.b)
	o.b = append(o.b, '{', '"')
	o.b = append(o.b, out.Op...)
	o.b = append(o.b, '"', ':', '{')
	empty := len(o.b)
	if f.index {
		o.text("_index", out.Index)
	}
	if f.id && out.ID != "" {
		o.text("_id", out.ID)
	}
	if out.Status < 300 {
		a.success(o, out, f)
	} else if f.kind || f.reason {
		o.key("error")
		o.b = append(o.b, '{')
		if f.kind {
			o.text("type", out.Type)
		}
		if f.reason {
			o.text("reason", out.Reason)
		}
		o.b = append(o.b, '}')
	}
	if f.status {
		o.number("status", int64(out.Status))
	}
	if len(o.b) == empty {
		o.b = o.b[:start]
		return false
	}
	o.b = append(o.b, '}', '}')
	return true
}

func (a *Answer) success(o *object, out *Outcome, f selected) {
	if f.version {
		o.number("_version", 1)
	}
	if f.result {
		o.text("result", out.Op.Done())
	}
	if f.shards {
		o.key("_shards")
		o.b = append(o.b, `{"total":1,"successful":1,"failed":0}`...)
	}
	if f.seq {
		o.number("_seq_no", 0)
	}
	if f.term {
		o.number("_primary_term", 1)
	}
}

// object appends fields and commas.
type object struct{ b []byte }

func (o *object) key(k string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(AppendString(o.b, k), ':')
}

func (o *object) text(k, v string) { o.key(k); o.b = AppendString(o.b, v) }

func (o *object) number(k string, n int64) { o.key(k); o.b = strconv.AppendInt(o.b, n, 10) }
