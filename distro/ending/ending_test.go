// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ending

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUsage(t *testing.T) {
	for line, want := range map[string]int{
		"--config=a.yaml --verbose": usage,
		"commence":                  usage,
		"validate --confg=a.yaml":   usage,
		"validate":                  usage,
		"--set=a":                   usage,
		"--set=a=b":                 usage,
		"--feature-gates=no.such.gate --config=a.yaml":  usage,
		"featuregate one two":                           usage,
		"--config=a.yaml":                               failed,
		"--config=auspex:agent --set=receivers.otlp=no": failed,
		"validate --config=a.yaml":                      failed,
		"print-config --config=a.yaml":                  failed,
		"featuregate no.such.gate":                      failed,
		"components":                                    failed,
	} {
		var out bytes.Buffer
		assert.Equal(t, want, Code(errors.New("it failed"), strings.Fields(line), &out), line)
		if want == usage {
			assert.Equal(t, "otelcol-auspex --help lists the commands and flags.\n", out.String(), line)
		} else {
			assert.Empty(t, out.String(), line)
		}
	}
}

func TestRemedy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, inUse := net.Listen("tcp", l.Addr().String())
	reserved := &net.OpError{Op: "listen", Addr: &net.TCPAddr{Port: 80}, Err: os.NewSyscallError("bind", syscall.EACCES)}
	folder := &fs.PathError{Op: "mkdir", Path: "/var/lib/auspex", Err: syscall.EACCES}
	for want, err := range map[string]error{
		"Another process listens on " + l.Addr().String() + ": end it": inUse,
		"Only root may listen on :80: configure a port above 1023.":    reserved,
		" has no access to /var/lib/auspex: give it access":            folder,
	} {
		var out bytes.Buffer
		assert.Equal(t, failed, Code(fmt.Errorf("cannot start: %w", errors.Join(errors.New("first"), err)), []string{"--config=a.yaml"}, &out))
		assert.Contains(t, out.String(), want)
		assert.Equal(t, 1, strings.Count(out.String(), "\n"), "lines of %q", &out)
	}
	assert.Empty(t, remedy(&fs.PathError{Op: "open", Path: "a.yaml", Err: syscall.ENOENT}), "the error names the file itself")
	assert.Empty(t, remedy(&net.OpError{Op: "dial", Err: syscall.EACCES}))
}
