// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import (
	"encoding/json"
	"strings"

	"github.com/auspex-otel/auspex/internal/template/scan"
)

// Body returns the part of a record's text to mine: the message of a JSON object, the frames of a
// stack trace, or the text itself.
func Body(text string) string {
	for range maxNested {
		message, ok := Message(text)
		if !ok {
			break
		}
		text = message
	}
	if strings.IndexByte(text, '\n') >= 0 {
		if frames, ok := StackTrace(text); ok {
			return frames
		}
	}
	return text
}

// maxNested bounds the JSON objects that are opened within messages of JSON objects.
const maxNested = 4

// Message returns the message of a JSON object: its first top-level text with a message key.
func Message(text string) (string, bool) {
	i := spaces(text, 0)
	if i >= len(text) || text[i] != '{' {
		return "", false
	}
	depth := 0
	for i < len(text) {
		switch text[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := quotedEnd(text, i)
			if end < 0 {
				return "", false
			}
			colon := spaces(text, end)
			if depth == 1 && colon < len(text) && text[colon] == ':' && scan.IsMessageKey(text[i+1:end-1]) {
				if v := spaces(text, colon+1); v < len(text) && text[v] == '"' {
					return unquote(text, v)
				}
			}
			i = end
			continue
		}
		i++
	}
	return "", false
}

func spaces(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return i
}

// quotedEnd returns the position after the quoted text at i, or -1.
func quotedEnd(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

func unquote(s string, i int) (string, bool) {
	end := quotedEnd(s, i)
	if end < 0 {
		return "", false
	}
	text := s[i+1 : end-1]
	if strings.IndexByte(text, '\\') >= 0 && json.Unmarshal([]byte(s[i:end]), &text) != nil {
		return "", false
	}
	return text, text != ""
}

// maxFrames bounds the frames of a stack trace in its template. Those nearest to the fault are
// kept.
const maxFrames = 8

// StackTrace returns a stack trace on one line: its other lines, and the frames without files,
// line numbers, and addresses. A stack trace has at least two frames.
func StackTrace(text string) (string, bool) {
	var b strings.Builder
	frames := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, ok := frame(line)
		if ok {
			if frames++; frames > maxFrames {
				continue
			}
			line = "at " + name
		}
		if strings.HasPrefix(line, cause) {
			class, _, _ := strings.Cut(line[len(cause):], ": ")
			line = cause + class
		} else if line == "" || isNoise(line) || frames > maxFrames {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(" | ")
		}
		b.WriteString(line)
	}
	return b.String(), frames >= 2
}

// cause is the prefix of the line of a stack trace that names the cause of the exception. Its
// class is kept, its message is not.
const cause = "Caused by: "

// frame returns the function in a line of a stack trace, if the line is one: Java and .NET,
// JavaScript, Python, Ruby, Go.
func frame(line string) (string, bool) {
	if rest, ok := strings.CutPrefix(line, "at "); ok {
		rest = strings.TrimPrefix(rest, "async ")
		if end := strings.IndexAny(rest, "( "); end > 0 {
			return rest[:end], true
		}
		if k := strings.LastIndexByte(rest, '/'); k >= 0 {
			rest = rest[k+1:]
		}
		name, _, _ := strings.Cut(rest, ":")
		return name, name != ""
	}
	if strings.HasPrefix(line, `File "`) {
		if _, name, ok := strings.Cut(line, ", in "); ok {
			return name, true
		}
		return "", false
	}
	if rest, ok := strings.CutPrefix(line, "from "); ok {
		if _, name, ok := strings.Cut(rest, ":in "); ok {
			return strings.Trim(name, "`'"), true
		}
		return "", false
	}
	if file, _, ok := strings.Cut(line, ".go:"); ok && strings.IndexByte(file, ' ') < 0 {
		return file[strings.LastIndexByte(file, '/')+1:] + ".go", true
	}
	return "", false
}

// isNoise reports whether a line of a stack trace only states its length.
func isNoise(line string) bool {
	return strings.HasPrefix(line, "... ") || strings.HasPrefix(line, "goroutine ") || strings.HasPrefix(line, "^")
}
