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
	"strings"
	"unicode/utf8"

	"github.com/auspex-otel/auspex/internal/excerpt"
	"github.com/auspex-otel/auspex/internal/wire/bounds"
)

// Reason is the kind of fault of a request or an item.
type Reason string

const (
	// ReasonAction is an invalid action line.
	ReasonAction Reason = "action"
	// ReasonDelete is an item that would delete a document.
	ReasonDelete Reason = "delete"
	// ReasonDepth is a document whose objects and lists are nested too deep.
	ReasonDepth Reason = "depth"
	// ReasonEmpty is a request without an item.
	ReasonEmpty Reason = "empty"
	// ReasonMemory is a document for which no memory is available.
	ReasonMemory Reason = "memory"
	// ReasonName is an index name or id that is longer than Elasticsearch allows.
	ReasonName Reason = "name"
	// ReasonValues is a document with too many values.
	ReasonValues Reason = "values"
	// ReasonEventSize is a line that is longer than the limit.
	ReasonEventSize Reason = "event_size"
	// ReasonIndex is an item that names no index.
	ReasonIndex Reason = "index"
	// ReasonItems is a request with too many items.
	ReasonItems Reason = "items"
	// ReasonNotJSON is a document that is not a JSON object.
	ReasonNotJSON Reason = "not_json"
	// ReasonTruncated is a request that ends within a line, or after an action without its document.
	ReasonTruncated Reason = "truncated"
	// ReasonUTF8 is a document that is not UTF-8.
	ReasonUTF8 Reason = "utf8"
)

// Error describes a fault of a request or an item.
type Error struct {
	Reason Reason
	Text   string
}

func (e *Error) Error() string { return e.Text }

// Limits bounds the parts of a request. The caller bounds its size.
type Limits struct {
	// Line is the maximum size of a document or an action, in bytes.
	Line int
	// Items is the maximum number of actions in a request.
	Items int
	// Depth bounds the nesting of objects and lists.
	Depth int
	// Values is the maximum number of values in a document.
	Values int
}

// Limits of Elasticsearch in bytes. An answer repeats the name and the id of each item.
const (
	maxIndex = 255
	maxID    = 512
)

// Item is one action of a request.
type Item struct {
	Action
	// Document is the line after the action, valid until the callback returns. The document of an
	// update is {"doc": …} or {"upsert": …}: see Partial.
	Document []byte
	// Values is the number of values in Document.
	Values int
	// Problem, if not nil, is the reason why this item is rejected. Other items are not affected.
	Problem *Error
}

// ReadRequest parses the body of a _bulk request and calls take with each item. The Index and
// Pipeline of def, from the address of the request, apply to actions without them. A returned
// *Error concerns the whole request; any other error comes from r, memory, or take. Memory for a
// document is reserved before it is read and released after take has returned. If none is
// available, the document gets a Problem.
func ReadRequest(r io.Reader, limits Limits, memory bounds.Memory, def Action, take func(Item) error) error {
	lines := &lineReader{r: bufio.NewReaderSize(r, 64<<10), limit: limits.Line, memory: memory}
	defer lines.release()
	// Most clients repeat one action.
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
		if lines.err != nil {
			return lines.err
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
		var depth int
		item.Values, depth = bounds.JSON(line)
		item.Problem = check(lines, depth, item.Values, limits)
	}
	return nil
}

// CheckDocument returns the reason why a single text is not a document within the limits, or nil.
func CheckDocument(document []byte, limits Limits) (values int, problem *Error) {
	values, depth := bounds.JSON(document)
	return values, checkText(document, depth, values, limits)
}

// check returns the reason why a line is not a document, or nil. It does not check that it is
// valid JSON.
func check(lines *lineReader, depth, values int, limits Limits) *Error {
	switch {
	case lines.err != nil:
		return &Error{ReasonMemory, lines.err.Error()}
	case lines.long:
		return &Error{ReasonEventSize, fmt.Sprintf("the document has more than %d bytes", limits.Line)}
	}
	return checkText(lines.line, depth, values, limits)
}

func checkText(text []byte, depth, values int, limits Limits) *Error {
	trimmed := bytes.TrimSpace(text)
	switch {
	case !utf8.Valid(text):
		return &Error{ReasonUTF8, "the document is not valid UTF-8"}
	case len(trimmed) == 0 || trimmed[0] != '{':
		return &Error{ReasonNotJSON, "the document is not a JSON object"}
	case depth > limits.Depth:
		return &Error{ReasonDepth, fmt.Sprintf("the document is nested deeper than %d", limits.Depth)}
	case values > limits.Values:
		return &Error{ReasonValues, fmt.Sprintf("the document has more than %d values", limits.Values)}
	}
	return nil
}

// scalar is a text that may be any JSON scalar, as in {"_id": 7}. Elasticsearch uses its
// characters.
type scalar string

// UnmarshalJSON parses a scalar. null leaves it unchanged.
func (s *scalar) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '{', '[':
		return errors.New("expected a text or a number, not an object or a list")
	case '"':
		return json.Unmarshal(b, (*string)(s))
	case 'n':
	default:
		*s = scalar(b)
	}
	return nil
}

// readAction parses a line such as {"index":{"_index":"i"}}.
func readAction(line []byte, long bool, def Action) (Item, error) {
	if long {
		return Item{}, errors.New("the action is too long")
	}
	if _, depth := bounds.JSON(line); depth > 8 || !utf8.Valid(line) {
		return Item{}, errors.New("the line is not an action")
	}
	var action map[Op]struct {
		Index    scalar  `json:"_index"`
		ID       scalar  `json:"_id"`
		Pipeline *scalar `json:"pipeline"`
	}
	if err := json.Unmarshal(line, &action); err != nil {
		return Item{}, err
	}
	if len(action) != 1 {
		return Item{}, fmt.Errorf("an action must name one of create, index, update, and delete, but has %d names", len(action))
	}
	for op, of := range action {
		switch op {
		case Create, Index, Update, Delete:
		default:
			return Item{}, fmt.Errorf("%q is not supported, use create, index, update, or delete", excerpt.Of(op))
		}
		item := Item{Action: Action{Op: op, Index: string(of.Index), ID: string(of.ID), Pipeline: def.Pipeline}}
		if item.Index == "" {
			item.Index = def.Index
		}
		if of.Pipeline != nil {
			item.Pipeline = string(*of.Pipeline)
		}
		item.Problem = item.CheckNames()
		return item, nil
	}
	return Item{}, nil
}

// CheckNames returns the fault of an action's names, or nil. It truncates names that are longer
// than Elasticsearch allows, because an answer repeats them.
func (a *Action) CheckNames() *Error {
	switch {
	case a.Index == "":
		return &Error{ReasonIndex, "index is missing"}
	case len(a.Index) > maxIndex:
		size := len(a.Index)
		a.Index = strings.Clone(a.Index[:maxIndex])
		return &Error{ReasonName, fmt.Sprintf("the index name has %d bytes, the limit is %d", size, maxIndex)}
	case len(a.ID) > maxID:
		size := len(a.ID)
		a.ID = strings.Clone(a.ID[:maxID])
		return &Error{ReasonName, fmt.Sprintf("the id has %d bytes, the limit is %d", size, maxID)}
	case a.Op == Delete:
		return &Error{ReasonDelete, "delete is not supported: the receiver forwards documents and does not store them"}
	}
	return nil
}

// Partial returns the document part of an update.
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
		return nil, &Error{ReasonAction, "an update by a script is not supported: send doc"}
	case u.Doc != nil:
		return u.Doc, nil
	case u.Upsert != nil:
		return u.Upsert, nil
	}
	return nil, &Error{ReasonAction, "the update has neither doc nor upsert"}
}

// lineReader reads lines. It skips the rest of a line above the limit of its length or of memory.
type lineReader struct {
	r      *bufio.Reader
	limit  int
	memory bounds.Memory
	text   []byte // a line larger than the buffer of r
	held   int    // bytes reserved for text
	count  int

	// The last line, without its line end and possibly truncated, until the next call of next.
	line []byte
	long bool  // it exceeds the limit
	err  error // no memory was available
}

// keepLine is the capacity in bytes up to which the line buffer is reused.
const keepLine = 64 << 10

func (l *lineReader) release() {
	l.memory.Release(l.held)
	l.held = 0
}

// next returns the next line.
func (l *lineReader) next() ([]byte, error) {
	l.text, l.long, l.err = l.text[:0], false, nil
	l.release()
	l.count++
	if cap(l.text) > keepLine {
		l.text = nil
	}
	var err error
	l.line, err = l.read()
	return l.line, err
}

func (l *lineReader) read() ([]byte, error) {
	for {
		part, err := l.r.ReadSlice('\n')
		if room := l.limit - len(l.text); len(bytes.TrimRight(part, "\r\n")) > room {
			l.long = true
			part = part[:min(room, len(part))]
		}
		if err == nil && len(l.text) == 0 {
			return bytes.TrimRight(part, "\r\n"), nil
		}
		l.append(part)
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

// append keeps a part of a line, if memory is available.
func (l *lineReader) append(part []byte) {
	if l.err == nil {
		l.err = l.memory.Reserve(len(part))
	}
	if l.err == nil {
		l.held += len(part)
		l.text = append(l.text, part...)
	}
}
