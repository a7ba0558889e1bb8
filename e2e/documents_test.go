// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// TestDocuments runs the commands in the documents and validates the configurations:
//
//   - yaml: otelcol-auspex validates it, laid over testdata/documents/base.yaml.
//   - sh: bash runs it in a folder that looks like the repository. The programs in
//     testdata/documents/bin stand in for those that would build or listen.
//   - json: it is well-formed.
//   - text: output and formats, not run.
//
// A block that cannot be run follows a comment "<!-- not run: reason -->".
func TestDocuments(t *testing.T) {
	collector := peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:default", Env: peertest.Shipped(t)})
	root := peertest.Root(t)
	ran := map[string]int{}
	for _, name := range peertest.Markdown(t, root) {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		blocks, err := codeBlocks(string(text))
		require.NoError(t, err, name)
		for _, b := range blocks {
			t.Run(fmt.Sprintf("%s:%d", name, b.line), func(t *testing.T) {
				require.NoError(t, b.check(t, collector.Console))
				ran[b.language]++
			})
		}
	}
	assert.Greater(t, ran["yaml"], 10)
	assert.Greater(t, ran["sh"], 10)
}

// codeBlock is a fenced block of a document.
type codeBlock struct {
	line           int // of its first line
	language, text string
}

var (
	fence  = regexp.MustCompile("^( *)```(.*)$")
	notRun = regexp.MustCompile(`^ *<!-- not run: \w.* -->$`)
	// hidden is a command in a block that is indented instead of fenced.
	hidden = regexp.MustCompile(`^ {4,}(\$ |[A-Z_]+=\S* )*(make|go|auspex|otelcol-auspex|bin/\S+|curl) `)
)

// codeBlocks returns the blocks of a document, without those that are not to be run.
func codeBlocks(text string) (blocks []codeBlock, err error) {
	var open *codeBlock
	indent, last := "", ""
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case open == nil && m != nil:
			open, indent = &codeBlock{line: i + 2, language: m[2]}, m[1]
			if notRun.MatchString(last) {
				open.language = "text"
			}
		case open == nil && hidden.MatchString(line):
			return nil, fmt.Errorf("line %d: put the command into a fenced block: %s", i+1, line)
		case open != nil && m != nil && m[2] == "":
			blocks, open = append(blocks, *open), nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		}
		if line != "" {
			last = line
		}
	}
	if open != nil {
		return nil, fmt.Errorf("line %d: the code block is not closed", open.line)
	}
	return blocks, nil
}

// check returns an error if the block does not do what it promises. Commands that
// ask a collector ask the one whose console listens on the given address.
func (b *codeBlock) check(t *testing.T, console string) error {
	t.Helper()
	switch b.language {
	case "text", "python", "java": // the tests of the engines call the same functions
		return nil
	case "json":
		if !json.Valid([]byte(b.text)) {
			return errors.New("not well-formed")
		}
		return nil
	case "yaml":
		return validateDocumented(t, b.text)
	case "sh":
		return runDocumented(t, b.text, console)
	}
	return fmt.Errorf("the language is %q; must be yaml, sh, json, python, java, or text", b.language)
}

func validateDocumented(t *testing.T, text string) error {
	t.Helper()
	var sections map[string]any
	if err := yaml.Unmarshal([]byte(text), &sections); err != nil {
		return err
	}
	for name := range sections {
		if !slices.Contains([]string{"receivers", "processors", "exporters", "extensions", "connectors", "service"}, name) {
			return fmt.Errorf("%s is not a section of a collector's configuration", name)
		}
	}
	own := filepath.Join(t.TempDir(), "block.yaml")
	require.NoError(t, os.WriteFile(own, []byte(text), 0o600))
	return runWithin(t, nil, peertest.CollectorProgram(t), "validate", "--config="+documentsData(t, "base.yaml"), "--config="+own)
}

// runDocumented runs a script in a folder with links to the files of the repository.
func runDocumented(t *testing.T, script, console string) error {
	t.Helper()
	root, dir := peertest.Root(t), t.TempDir()
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() != "bin" {
			require.NoError(t, os.Symlink(filepath.Join(root, e.Name()), filepath.Join(dir, e.Name())))
		}
	}
	require.NoError(t, os.Symlink(documentsData(t, "bin"), filepath.Join(dir, "bin")))
	script = "cd " + dir + "\n" + strings.ReplaceAll(script, "127.0.0.1:8899", console)
	return runWithin(t, []string{
		"ROOT=" + root, "CONSOLE=" + console, "AUSPEX_BIN=" + filepath.Dir(peertest.CollectorProgram(t)),
		"HOME=" + dir, "AUSPEX_STATE_DIR=" + filepath.Join(dir, "state"),
		"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"),
	}, "/bin/bash", "-e", "-u", "-o", "pipefail", "-c", script)
}

func documentsData(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(peertest.Root(t), "e2e", "testdata", "documents", name)
}

// runWithin runs a command for a minute at most. The error has its output.
func runWithin(t *testing.T, env []string, command ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	output, err := peertest.Run(ctx, t, env, command...)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	return nil
}

// TestDocumentsAreReallyChecked holds that each kind of block can fail.
func TestDocumentsAreReallyChecked(t *testing.T) {
	for name, b := range map[string]codeBlock{
		"unknown key":      {language: "yaml", text: "processors:\n  anomaly:\n    outputs: {}\n"},
		"unknown section":  {language: "yaml", text: "output.logstash: {}\n"},
		"exposed receiver": {language: "yaml", text: "receivers:\n  prometheus_remote_write:\n    endpoint: 0.0.0.0:9090\nservice:\n  pipelines:\n    metrics:\n      receivers: [prometheus_remote_write]\n"},
		"unknown config":   {language: "sh", text: "otelcol-auspex --config=auspex:gatway\n"},
		"unknown command":  {language: "sh", text: "auspex incident\n"},
		"unknown target":   {language: "sh", text: "make tset\n"},
		"unknown test":     {language: "sh", text: "go test -run TestNothing ./e2e\n"},
		"broken pipe":      {language: "sh", text: "false | true\n"},
		"broken json":      {language: "json", text: "{"},
		"other language":   {language: "console", text: "$ make\n"},
	} {
		t.Run(name, func(t *testing.T) { assert.Error(t, b.check(t, "127.0.0.1:1")) })
	}
	_, err := codeBlocks("text\n\n    make test\n")
	require.ErrorContains(t, err, "line 3")
	blocks, err := codeBlocks("<!-- not run: why -->\n\n   ```sh\n   make\n     all\n   ```\n<!-- not run: -->\n```sh\nmake\n```\n")
	require.NoError(t, err)
	assert.Equal(t, []codeBlock{{4, "text", "make\n  all\n"}, {9, "sh", "make\n"}}, blocks)
}
