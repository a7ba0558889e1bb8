// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/wire/lumberjack"
)

func TestDataFrames(t *testing.T) {
	pair := func(k, v string) lumberjack.Pair { return lumberjack.Pair{Key: []byte(k), Value: []byte(v)} }
	for _, tt := range []struct {
		want  string
		pairs []lumberjack.Pair
	}{
		{`{}`, nil},
		{
			`{"message":"m","log.file.path":"/p","host.name":"h","log.offset":12,"type":"t"}`,
			[]lumberjack.Pair{pair("line", "m"), pair("file", "/p"), pair("host", "h"), pair("offset", "12"), pair("type", "t")},
		},
		{`{"message":"m","line":"l","offset":"x"}`, []lumberjack.Pair{pair("line", "l"), pair("message", "m"), pair("offset", "x")}},
		{`{"offset":"007"}`, []lumberjack.Pair{pair("offset", "007")}},
		{`{"k\ufffd":"v\ufffdw"}`, []lumberjack.Pair{pair("k\xff", "v\xfew")}},
	} {
		assert.JSONEq(t, tt.want, string(jsonOf(tt.pairs)))
	}
}
