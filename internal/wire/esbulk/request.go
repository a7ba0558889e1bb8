// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package esbulk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/auspex-otel/auspex/internal/excerpt"
)

// Reason says what is wrong with a request or an item.
type Reason string

const (
	// ReasonAction is an action line that says nothing that can be done.
	ReasonAction Reason = "action"
	// ReasonDelete is an item that would delete a document.
	ReasonDelete Reason = "delete"
	// ReasonDepth is a document whose objects and lists are nested too deep.
	ReasonDepth Reason = "depth"
	// ReasonEmpty is a request without an item.
	ReasonEmpty Reason = "empty"
	// ReasonEventSize is a line that is longer than the limit.
	ReasonEventSize Reason = "event_size"
	// ReasonIndex is an item that names no index.
	ReasonIndex Reason = "index"
	// ReasonItems is a request of too many items.
	ReasonItems Reason = "items"
	// ReasonNotJSON is a document that is no JSON object.
	ReasonNotJSON Reason = "not_json"
	// ReasonTruncated is a request that ends in the midst of a line, or after an action without its document.
	ReasonTruncated Reason = "truncated"
	// ReasonUTF8 is a document that is not UTF-8.
	ReasonUTF8 Reason = "utf8"
)

// Error is what is wrong with a request or an item.
type Error struct {
	Reason Reason
	Text   string
}

func (e *Error) Error() string { return e.Text }

// Limits bound what a request may have. The reader of the request bounds its size.
type Limits struct {
	// Line is the most bytes of a document or an action.
	Line int
	// Items is the most actions of a request.
	Items int
	// Depth is how deep objects and lists may be nested.
	Depth int
}

// Item is one action of a request.
type Item struct {
	Action
	// Document is the line after the action, valid until the callback returns. An update's
	// is {"doc": …} or {"upsert": …}: see Partial.
	Document []byte
	// Problem, if not nil, is why nothing can be done with this item. The others are not affected.
	Problem *Error
}

// ReadRequest reads the body of a request to _bulk and calls take with each item.
// The default is what the address of the request says: its Index and Pipeline
// stand for those that an action leaves out. A returned *Error concerns the
// request as a whole; any other error is that of r or of take.
func ReadRequest(r io.Reader, limits Limits, def Action, take func(Item) error) error {
	lines := &lineReader{r: bufio.NewReaderSize(r, 64<<10), limit: limits.Line}
	// Most clients send one action over and over.
	var last []byte
	var item Item
	for n := 0; ; {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return &Error{ReasonEmpty, "request body is required"}
			}
			return nil
		}
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if n++; n > limits.Items {
			return &Error{ReasonItems, fmt.Sprintf("the request has more than %d items", limits.Items)}
		}
		if !bytes.Equal(line, last) {
			if item, err = readAction(line, lines.long, def); err != nil {
				return &Error{ReasonAction, fmt.Sprintf("Malformed action/metadata line [%d]: %s", lines.count, err)}
			}
			last = append(last[:0], line...)
		}
		item := item
		if item.Op != Delete {
			if err := readDocument(lines, &item, limits); err != nil {
				return err
			}
		}
		if err := take(item); err != nil {
			return err
		}
	}
}

func readDocument(lines *lineReader, item *Item, limits Limits) error {
	line, err := lines.next()
	if errors.Is(err, io.EOF) {
		return &Error{ReasonTruncated, "the last action has no document"}
	}
	if err != nil {
		return err
	}
	if item.Problem == nil {
		item.Document = line
		item.Problem = check(line, lines.long, limits)
	}
	return nil
}

// check says why a line is no document. It does not tell whether it is valid JSON.
func check(line []byte, long bool, limits Limits) *Error {
	trimmed := bytes.TrimSpace(line)
	switch {
	case long:
		return &Error{ReasonEventSize, fmt.Sprintf("the document has more than %d bytes", limits.Line)}
	case !utf8.Valid(line):
		return &Error{ReasonUTF8, "the document is not valid UTF-8"}
	case len(trimmed) == 0 || trimmed[0] != '{':
		return &Error{ReasonNotJSON, "the document is not a JSON object"}
	case deeper(line, limits.Depth):
		return &Error{ReasonDepth, fmt.Sprintf("the document is nested deeper than %d", limits.Depth)}
	}
	return nil
}

// deeper tells whether brackets are nested deeper than a limit.
func deeper(text []byte, limit int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// readAction reads a line such as {"index":{"_index":"i"}}.
func readAction(line []byte, long bool, def Action) (Item, error) {
	if long {
		return Item{}, errors.New("it is too long")
	}
	if !utf8.Valid(line) || deeper(line, 8) {
		return Item{}, errors.New("it is no action")
	}
	var action map[Op]struct {
		Index    string  `json:"_index"`
		ID       *string `json:"_id"`
		Pipeline *string `json:"pipeline"`
	}
	if err := json.Unmarshal(line, &action); err != nil {
		return Item{}, err
	}
	if len(action) != 1 {
		return Item{}, fmt.Errorf("it must name one of create, index, update and delete, and has %d", len(action))
	}
	for op, of := range action {
		switch op {
		case Create, Index, Update, Delete:
		default:
			return Item{}, fmt.Errorf("%q is none of create, index, update and delete", excerpt.Of(op))
		}
		item := Item{Action: Action{Op: op, Index: of.Index, Pipeline: def.Pipeline}}
		if item.Index == "" {
			item.Index = def.Index
		}
		if of.ID != nil {
			item.ID = *of.ID
		}
		if of.Pipeline != nil {
			item.Pipeline = *of.Pipeline
		}
		switch {
		case item.Index == "":
			item.Problem = &Error{ReasonIndex, "index is missing"}
		case op == Delete:
			item.Problem = &Error{ReasonDelete, "documents cannot be deleted here: every document is an event on its way"}
		}
		return item, nil
	}
	return Item{}, nil
}

// Partial returns the part of a document that an update carries.
func Partial(update []byte) ([]byte, *Error) {
	var u struct {
		Doc    json.RawMessage `json:"doc"`
		Upsert json.RawMessage `json:"upsert"`
		Script json.RawMessage `json:"script"`
	}
	if err := json.Unmarshal(update, &u); err != nil {
		return nil, &Error{ReasonNotJSON, "the document is not JSON: " + err.Error()}
	}
	switch {
	case u.Script != nil:
		return nil, &Error{ReasonAction, "an update by a script cannot be done here: send doc"}
	case u.Doc != nil:
		return u.Doc, nil
	case u.Upsert != nil:
		return u.Upsert, nil
	}
	return nil, &Error{ReasonAction, "the update has neither doc nor upsert"}
}

// lineReader reads lines. What is over the limit of a line is skipped.
type lineReader struct {
	r     *bufio.Reader
	limit int
	text  []byte
	long  bool
	count int
}

// next returns a line without its end, valid until the next call; of a line that is too long (long is set then) its beginning.
func (l *lineReader) next() ([]byte, error) {
	l.text, l.long = l.text[:0], false
	l.count++
	if cap(l.text) > 1<<20 {
		l.text = nil
	}
	for {
		part, err := l.r.ReadSlice('\n')
		if room := l.limit - len(l.text); len(bytes.TrimRight(part, "\r\n")) > room {
			l.long = true
			part = part[:min(room, len(part))]
		}
		if err == nil && len(l.text) == 0 {
			return bytes.TrimRight(part, "\r\n"), nil
		}
		l.text = append(l.text, part...)
		switch {
		case err == nil:
			return bytes.TrimRight(l.text, "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(l.text) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, &Error{ReasonTruncated, "The bulk request must be terminated by a newline [\\n]"}
		default:
			return nil, err
		}
	}
}
