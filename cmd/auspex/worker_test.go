// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWorker(t *testing.T) {
	run := func(in string, args ...string) (code int, out, errs string) {
		var o, e bytes.Buffer
		code = run(append([]string{"worker"}, args...), environment{in: strings.NewReader(in), out: &o, errs: &e, zone: zone})
		return code, o.String(), e.String()
	}
	for _, kind := range []string{"series", "shard"} {
		code, out, errs := run("\x00\x00\x00\x14H\x00\x00\x00\x00{\"protocol\":1 }", kind)
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, `"interface":"`+kind+`"`)

		code, out, errs = run("GET / HTTP/1.1\r\n", kind)
		assert.Equal(t, exitFailed, code)
		assert.Contains(t, out, `"error"`)
		assert.Contains(t, errs, "a message of 1195725856 bytes")

		code, _, errs = run("", kind, "--memory-mib", "0")
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, errs, "--memory-mib is 0: must be 1 to 1048576")

		code, _, errs = run("", kind, "--live", "0")
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, errs, "--live is 0: must be at least 1")
	}
	code, _, errs := run("", "tables")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, errs, `unknown command "tables"`)
}
