// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// RecordTime returns when a record was made, else when it was first observed, in nanoseconds since the Unix epoch.
func RecordTime(lr plog.LogRecord) int64 {
	if t := int64(lr.Timestamp()); t > 0 {
		return t
	}
	return int64(lr.ObservedTimestamp())
}

// messageKeys are where a structured body has its message, the likeliest first.
var messageKeys = [...]string{"message", "msg", "log", "event", "body"}

// Text returns what a record says in words: its body, or the message in a
// structured one, and of an exception the frames. It is empty if there is none.
func Text(lr plog.LogRecord) string {
	if stack, ok := lr.Attributes().Get(vocabulary.ExceptionStacktrace); ok && stack.Str() != "" {
		return stack.Str()
	}
	switch body := lr.Body(); body.Type() {
	case pcommon.ValueTypeStr:
		return body.Str()
	case pcommon.ValueTypeMap:
		for _, key := range messageKeys {
			if v, ok := body.Map().Get(key); ok && v.Type() == pcommon.ValueTypeStr {
				return v.Str()
			}
		}
		return body.AsString()
	case pcommon.ValueTypeEmpty:
		return lr.EventName()
	default:
		return body.AsString()
	}
}

// severeWords say that a line is about an error where its record has no severity.
var severeWords = [...]string{"ERROR", "FATAL", "CRITICAL", "PANIC", "SEVERE", "EMERG"}

// severeWithin is how far into a line its severity stands, if it has one.
const severeWithin = 80

// Severe reports whether a record is of severity ERROR or above.
func Severe(lr plog.LogRecord, text string) bool {
	if n := lr.SeverityNumber(); n != plog.SeverityNumberUnspecified {
		return n >= plog.SeverityNumberError
	}
	if lr.SeverityText() != "" {
		text = lr.SeverityText()
	}
	text = strings.ToUpper(text[:min(len(text), severeWithin)])
	for _, word := range severeWords {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
