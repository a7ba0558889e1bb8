// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package esbulk

import (
	"strconv"
	"strings"
)

// Op is the operation of an action on its document.
type Op string

const (
	// Create adds a document. It fails with 409 if the id exists. Data streams accept only this
	// operation.
	Create Op = "create"
	// Index adds a document or replaces it.
	Index Op = "index"
	// Update changes a part of a document.
	Update Op = "update"
	// Delete removes a document.
	Delete Op = "delete"
)

// Action is the operation and the target of a document. Empty fields are omitted.
type Action struct {
	Op    Op
	Index string
	ID    string
	// Pipeline is an ingest pipeline that processes the document.
	Pipeline string
	// Version, if not 0, is the external version of the document. A lower version than the stored
	// one is rejected with 409, an equal one replaces it.
	Version int64
	// DataStream requests an error instead of the creation of a plain index.
	DataStream bool
}

// AppendAction appends the action line of a document, with its line end.
func AppendAction(dst []byte, a Action) []byte {
	dst = append(dst, '{', '"')
	dst = append(dst, a.Op...)
	dst = append(dst, `":{"_index":`...)
	dst = AppendString(dst, a.Index)
	if a.ID != "" {
		dst = append(dst, `,"_id":`...)
		dst = AppendString(dst, a.ID)
	}
	if a.Pipeline != "" {
		dst = append(dst, `,"pipeline":`...)
		dst = AppendString(dst, a.Pipeline)
	}
	if a.Version != 0 {
		dst = append(dst, `,"version":`...)
		dst = strconv.AppendInt(dst, a.Version, 10)
		dst = append(dst, `,"version_type":"external_gte"`...)
	}
	if a.DataStream {
		dst = append(dst, `,"require_data_stream":true`...)
	}
	return append(dst, "}}\n"...)
}

const hexDigits = "0123456789abcdef"

// AppendString appends a JSON string. Invalid UTF-8 becomes U+FFFD, because Elasticsearch rejects
// a whole request for one such byte.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(append(dst, s[start:i]...), '\\', byte(r))
		case r < 0x20:
			dst = append(append(dst, s[start:i]...), '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		case r == '\uFFFD' && !strings.HasPrefix(s[i:], "\uFFFD"): // a byte that belongs to no rune
			dst = append(append(dst, s[start:i]...), "\uFFFD"...)
		default:
			continue
		}
		start = i + 1
	}
	return append(append(dst, s[start:]...), '"')
}
