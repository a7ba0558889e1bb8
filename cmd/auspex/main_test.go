// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/auspex-otel/auspex/internal/golden"
)

// zone is the time zone of the tests, independent of the machine.
var zone = time.FixedZone("TST", 2*60*60)

// auspex runs a command line and returns its exit code and output.
func auspex(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(args, environment{out: &o, errs: &e, zone: zone})
	return code, o.String(), e.String()
}

// TestCases runs testdata/*.txtar. In each case, arguments holds the command line,
// and answer holds the status and body of the collector's response. The expected
// output is request, stdout, stderr, and exit. If there is an answer, --endpoint is
// the address of its server, and ENDPOINT stands for this address.
func TestCases(t *testing.T) {
	golden.Archives(t, "testdata/*.txtar", runCase)
}

func runCase(t *testing.T, is *txtar.Archive) *txtar.Archive {
	t.Helper()
	given := map[string]string{}
	for _, f := range is.Files {
		given[f.Name] = string(f.Data)
	}
	args, endpoint, requests := arguments(given["arguments"]), "ENDPOINT", ""
	closeServer := func() {}
	if answer, ok := given["answer"]; ok {
		status, body, _ := strings.Cut(answer, "\n")
		code, err := strconv.Atoi(status)
		require.NoError(t, err)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests += r.Method + " " + r.URL.String() + "\n"
			if body, _ := io.ReadAll(r.Body); len(body) > 0 {
				requests += expires.ReplaceAllString(string(body), `"expires":"LATER"`) + "\n"
			}
			if code == http.StatusFound {
				w.Header().Set("Location", "/login")
			}
			w.WriteHeader(code)
			io.WriteString(w, body)
		}))
		closeServer, endpoint = server.Close, server.URL
		args = append(args, "--endpoint", endpoint)
	}
	code, out, errs := auspex(args...)
	closeServer() // waits, so requests is complete
	return outcome(is, []txtar.File{
		{Name: "request", Data: []byte(requests)},
		{Name: "stdout", Data: []byte(strings.ReplaceAll(out, endpoint, "ENDPOINT"))},
		{Name: "stderr", Data: []byte(strings.ReplaceAll(errs, endpoint, "ENDPOINT"))},
		{Name: "exit", Data: fmt.Appendln(nil, code)},
	})
}

// expires matches the field that depends on the time of the test.
var expires = regexp.MustCompile(`"expires":"[^"]*"`)

// arguments splits a line at spaces, but not between single quotes.
func arguments(line string) (args []string) {
	for i, part := range strings.Split(strings.TrimSpace(line), "'") {
		if i%2 == 1 {
			args = append(args, part)
		} else {
			args = append(args, strings.Fields(part)...)
		}
	}
	return args
}

// outcome returns a case with its input and the program's output.
func outcome(is *txtar.Archive, got []txtar.File) *txtar.Archive {
	given := slices.DeleteFunc(slices.Clone(is.Files), func(f txtar.File) bool {
		return f.Name != "arguments" && f.Name != "answer" && !strings.HasPrefix(f.Name, "in/")
	})
	return &txtar.Archive{Comment: is.Comment, Files: append(given, got...)}
}

func TestVersion(t *testing.T) {
	defer func(v string) { version = v }(version)
	version = "1.2.3"
	code, out, _ := auspex("version")
	assert.Equal(t, exitOK, code)
	assert.Equal(t, "auspex 1.2.3 ("+runtime.Version()+", "+runtime.GOOS+"/"+runtime.GOARCH+")\n", out)

	code, out, _ = auspex("version", "--json")
	assert.Equal(t, exitOK, code)
	assert.JSONEq(t, `{"version":"1.2.3","go":"`+runtime.Version()+`","os":"`+runtime.GOOS+`","arch":"`+runtime.GOARCH+`"}`, out)
}

func TestBareCommandIsHelp(t *testing.T) {
	code, bare, _ := auspex()
	assert.Equal(t, exitOK, code)
	_, help, _ := auspex("--help")
	assert.Equal(t, help, bare)
}

// fullDisk is a writer that always fails.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestOutputThatCannotBeWritten(t *testing.T) {
	var errs bytes.Buffer
	assert.Equal(t, exitFailed, run([]string{"version"}, environment{out: fullDisk{}, errs: &errs, zone: zone}))
	assert.Equal(t, "auspex version: cannot write the output: no space left on device\n", errs.String())
}
