// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"encoding/json"
	"strings"

	"github.com/auspex-otel/auspex/internal/wire/lumberjack"
)

// jsonOf returns the pairs of a version 1 data frame as JSON, with ECS names.
func jsonOf(pairs []lumberjack.Pair) []byte {
	event := make(map[string]any, len(pairs))
	for _, p := range pairs {
		event[text(p.Key)] = text(p.Value)
	}
	rename := func(from, to string) {
		if v, ok := event[from]; ok {
			if _, taken := event[to]; !taken {
				event[to] = v
				delete(event, from)
			}
		}
	}
	rename("line", "message")
	rename("file", "log.file.path")
	rename("host", "host.name")
	if offset, ok := event["offset"].(string); ok && json.Valid([]byte(offset)) && strings.Trim(offset, "0123456789") == "" {
		event["offset"] = json.Number(offset)
		rename("offset", "log.offset")
	}
	// The values are strings and a validated number, so this cannot fail.
	b, _ := json.Marshal(event)
	return b
}

func text(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }
