// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// RecordTime returns the time of a record, else its observed time, in nanoseconds since the Unix
// epoch.
func RecordTime(lr plog.LogRecord) int64 {
	if t := int64(lr.Timestamp()); t > 0 {
		return t
	}
	return int64(lr.ObservedTimestamp())
}

// messageKeys lists the keys of the message in a structured body, the likeliest first.
var messageKeys = [...]string{"message", "msg", "log", "event", "body"}

// Text returns the body of a record, or the message in a structured body, and the stack frames of
// an exception. It returns "" if there is none.
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

// severeWords mark a line as an error if its record has no severity.
var severeWords = [...]string{"ERROR", "FATAL", "CRITICAL", "PANIC", "SEVERE", "EMERG"}

// severeWithin is the number of bytes at the start of a line that are searched for a severity.
const severeWithin = 80

// Severe reports whether a record has the severity ERROR or higher.
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
