// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/parser"
	"go/token"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"
)

// builderConfig holds the tested parts of builder-config.yaml.
type builderConfig struct {
	Dist struct {
		Module  string `yaml:"module"`
		Name    string `yaml:"name"`
		Version string `yaml:"version"`
	} `yaml:"dist"`
	Receivers  []entry  `yaml:"receivers"`
	Processors []entry  `yaml:"processors"`
	Exporters  []entry  `yaml:"exporters"`
	Connectors []entry  `yaml:"connectors"`
	Extensions []entry  `yaml:"extensions"`
	Providers  []entry  `yaml:"providers"`
	Converters []entry  `yaml:"converters"`
	Replaces   []string `yaml:"replaces"`
}

// entry is one component: a module with its version, and its package if that differs.
type entry struct {
	GoMod  string `yaml:"gomod"`
	Import string `yaml:"import"`
}

func (e entry) module() (modulePath, version string) {
	modulePath, version, _ = strings.Cut(e.GoMod, " ")
	return modulePath, strings.TrimSpace(version)
}

func (e entry) importPath() string {
	if e.Import != "" {
		return e.Import
	}
	modulePath, _ := e.module()
	return modulePath
}

func (c builderConfig) components() []entry {
	return slices.Concat(c.Receivers, c.Processors, c.Exporters, c.Connectors, c.Extensions)
}

func (c builderConfig) all() []entry {
	return slices.Concat(c.components(), c.Providers, c.Converters)
}

// The builder runs without its own version check, so this is the only one.
func TestBuilderConfigEqualsGoMod(t *testing.T) {
	cfg, mod := readBuilderConfig(t), readGoMod(t)
	assert.Equal(t, module, cfg.Dist.Module)
	assert.Equal(t, "otelcol-auspex", cfg.Dist.Name)

	required := map[string]string{}
	for _, r := range mod.Require {
		required[r.Mod.Path] = r.Mod.Version
	}
	for _, e := range cfg.all() {
		modulePath, version := e.module()
		if modulePath == module {
			assert.Equal(t, "v0.0.0", version, "%s is in this module: its version means nothing", e.importPath())
			assert.DirExists(t, path.Join(repository, strings.TrimPrefix(e.importPath(), module)))
			continue
		}
		assert.Equal(t, required[modulePath], version, "%s: go.mod and builder-config.yaml differ", modulePath)
	}

	replaced := []string{}
	for _, r := range mod.Replace {
		from, to := strings.TrimSpace(r.Old.Path+" "+r.Old.Version), strings.TrimSpace(r.New.Path+" "+r.New.Version)
		replaced = append(replaced, from+" => "+to)
	}
	assert.ElementsMatch(t, replaced, cfg.Replaces, "replace lines of go.mod (first list) and builder-config.yaml differ")
}

func TestDistributionIsGeneratedFromBuilderConfig(t *testing.T) {
	cfg := readBuilderConfig(t)
	checkGenerated(t, "distro/components.go", cfg.components(), []string{
		"go.opentelemetry.io/collector/component",
		"go.opentelemetry.io/collector/connector",
		"go.opentelemetry.io/collector/exporter",
		"go.opentelemetry.io/collector/extension",
		"go.opentelemetry.io/collector/otelcol",
		"go.opentelemetry.io/collector/processor",
		"go.opentelemetry.io/collector/receiver",
		"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry",
	})
	main := checkGenerated(t, "distro/main.go", slices.Concat(cfg.Providers, cfg.Converters), []string{
		"os",
		"go.opentelemetry.io/collector/component",
		"go.opentelemetry.io/collector/confmap",
		"go.opentelemetry.io/collector/otelcol",
	})
	assert.Contains(t, main, `"`+cfg.Dist.Version+`"`, "distro/main.go has another version than builder-config.yaml: run make generate")
}

// checkGenerated compares a generated file's imports with the entries, and finds each entry's
// version in its text.
func checkGenerated(t *testing.T, name string, entries []entry, framework []string) string {
	t.Helper()
	text, err := os.ReadFile(path.Join(repository, name))
	require.NoError(t, err)
	parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	require.NoError(t, err)
	want := slices.Clone(framework)
	for _, e := range entries {
		want = append(want, e.importPath())
		assert.Contains(t, string(text), `"`+e.GoMod+`"`, "%s: run make generate", name)
	}
	assert.ElementsMatch(t, want, file{name: name, File: parsed}.importPaths(), "%s: run make generate", name)
	return string(text)
}

func readBuilderConfig(t *testing.T) builderConfig {
	t.Helper()
	text, err := os.ReadFile(path.Join(repository, "builder-config.yaml"))
	require.NoError(t, err)
	var cfg builderConfig
	require.NoError(t, yaml.Unmarshal(text, &cfg))
	require.NotEmpty(t, cfg.components())
	return cfg
}

func readGoMod(t *testing.T) *modfile.File {
	t.Helper()
	text, err := os.ReadFile(path.Join(repository, "go.mod"))
	require.NoError(t, err)
	mod, err := modfile.Parse("go.mod", text, nil)
	require.NoError(t, err)
	return mod
}
