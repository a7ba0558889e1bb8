// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

func TestCommittedFilesAreCurrent(t *testing.T) {
	files, err := Files()
	require.NoError(t, err)
	assert.Len(t, files, 6)
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("provisioning", "dashboards", "auspex", name))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s is out of date: go run ./dashboards/generate", name)
	}
	want, err := Alerts()
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join("provisioning", "alerting", "rules.yaml.example"))
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "rules.yaml.example is out of date: go run ./dashboards/generate")
}

// decoded is a rendered dashboard as the SDK reads it. The field that render adds is left out, because the SDK does not know it.
func decoded(t *testing.T, name string, text []byte) dashboard.Dashboard {
	t.Helper()
	plugins.RegisterDefaultPlugins()
	var tree map[string]any
	require.NoError(t, json.Unmarshal(text, &tree))
	for _, a := range tree["annotations"].(map[string]any)["list"].([]any) {
		delete(a.(map[string]any), "textField")
		delete(a.(map[string]any), "timeField")
	}
	plain, err := json.Marshal(tree)
	require.NoError(t, err)
	var strict, d dashboard.Dashboard
	require.Empty(t, buildErrors(t, strict.UnmarshalJSONStrict(plain)), name)
	require.NoError(t, json.Unmarshal(plain, &d), name)
	require.Empty(t, buildErrors(t, d.Validate()), name)
	for _, raw := range tree["panels"].([]any) {
		plain, err := json.Marshal(raw)
		require.NoError(t, err)
		var p dashboard.Panel
		require.Empty(t, buildErrors(t, p.UnmarshalJSONStrict(plain)), name)
	}
	return d
}

// buildErrors returns the errors that the SDK reports. It returns an empty list of errors, which is not nil, if there are none.
func buildErrors(t *testing.T, err error) cog.BuildErrors {
	t.Helper()
	if err == nil {
		return nil
	}
	errs, ok := errors.AsType[cog.BuildErrors](err)
	require.True(t, ok, err)
	return errs
}

func boards(t *testing.T) map[string]dashboard.Dashboard {
	t.Helper()
	files, err := Files()
	require.NoError(t, err)
	m := map[string]dashboard.Dashboard{}
	for name, text := range files {
		m[name] = decoded(t, name, text)
	}
	return m
}

func TestPanelsHaveTheirOwnIDAndPlace(t *testing.T) {
	for name, d := range boards(t) {
		ids, titles, cells := map[uint32]bool{}, map[string]bool{}, map[[2]uint32]string{}
		for _, p := range d.Panels {
			p := p.Panel
			title := name + ": " + *p.Title
			assert.False(t, ids[*p.Id], "%s has the id of another panel", title)
			assert.False(t, titles[title], "%s exists twice", title)
			ids[*p.Id], titles[title] = true, true
			assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, uint32(24), title)
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					at := [2]uint32{p.GridPos.X + x, p.GridPos.Y + y}
					assert.Empty(t, cells[at], "%s overlaps %s", title, cells[at])
					cells[at] = title
				}
			}
		}
	}
}

// TestQueriesUseKnownVariables finds variables that no dashboard defines, in queries and links.
func TestQueriesUseKnownVariables(t *testing.T) {
	files, err := Files()
	require.NoError(t, err)
	variable := regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z_0-9]*)`)
	grafanas := []string{"__range", "__rate_interval", "__value", "__field", "__url_time_range", "__from", "__to", "__all"}
	for name, text := range files {
		d := decoded(t, name, text)
		var known []string
		for _, v := range d.Templating.List {
			known = append(known, v.Name)
		}
		for _, m := range variable.FindAllStringSubmatch(string(text), -1) {
			assert.True(t, slices.Contains(known, m[1]) || slices.Contains(grafanas, m[1]) || regexp.MustCompile(`^\d+$`).MatchString(m[1]), "%s uses $%s", name, m[1])
		}
	}
}

func TestLinksLeadToDashboardsAndVariables(t *testing.T) {
	all := boards(t)
	variables := map[string][]string{}
	for _, d := range all {
		for _, v := range d.Templating.List {
			variables[*d.Uid] = append(variables[*d.Uid], v.Name)
		}
	}
	files, err := Files()
	require.NoError(t, err)
	link, parameter, n := regexp.MustCompile(`"/d/([a-z-]+)\?([^"]*)"`), regexp.MustCompile(`&var-([a-z]+)=`), 0
	for name, text := range files {
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			n++
			require.Contains(t, variables, m[1], name)
			for _, p := range parameter.FindAllStringSubmatch(m[2], -1) {
				assert.Contains(t, variables[m[1]], p[1], "%s links to %s", name, m[1])
			}
		}
	}
	assert.Greater(t, n, 10)
}

func TestPrometheusNames(t *testing.T) {
	assert.Equal(t, "anomaly_max_score", Prometheus("anomaly.max_score"))
	for _, name := range []string{service, host, metric, stat} {
		assert.Regexp(t, `^[a-z_][a-z0-9_]*$`, name)
	}
}

func TestIntervalIsFilledBetweenItsTwoEnds(t *testing.T) {
	p, err := interval().Build()
	require.NoError(t, err)
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if property.Id == "custom.fillBelowTo" {
				assert.Equal(t, new(lineUpper), o.Matcher.Options)
				assert.Equal(t, lineLower, property.Value)
				return
			}
		}
	}
	assert.Fail(t, "no series is filled down to another")
}

// TestTraceLink checks that a browser gets JSON after Grafana has put in the values.
func TestTraceLink(t *testing.T) {
	address := strings.NewReplacer("${traces}", "T", "${__value.raw}", "abc", "${__from}", "1", "${__to}", "2").Replace(traceOf())
	assert.NotContains(t, address, "$")
	assert.Contains(t, address, "%22query%22%3A%22abc%22")
}

func TestProvisioning(t *testing.T) {
	for _, name := range []string{"datasources/auspex.yaml", "dashboards/auspex.yaml", "alerting/rules.yaml.example", "alerting/contact-points.yaml.example", "alerting/policies.yaml.example"} {
		text, err := os.ReadFile(filepath.Join("provisioning", name))
		require.NoError(t, err)
		var tree map[string]any
		require.NoError(t, yaml.Unmarshal(text, &tree), name)
		assert.EqualValues(t, 1, tree["apiVersion"], name)
	}
	text, err := os.ReadFile(filepath.Join("provisioning", "datasources", "auspex.yaml"))
	require.NoError(t, err)
	for _, field := range []string{bodyField, timeField, serviceField, Prometheus(vocabulary.MetricMaxScore)} {
		assert.Contains(t, string(text), field)
	}
}

func TestMixinImportsEveryDashboard(t *testing.T) {
	text, err := os.ReadFile("mixin.libsonnet")
	require.NoError(t, err)
	files, err := Files()
	require.NoError(t, err)
	for name := range files {
		assert.Contains(t, string(text), fmt.Sprintf("'auspex-%s': import 'provisioning/dashboards/auspex/%[1]s'", name))
	}
	assert.Equal(t, len(files), strings.Count(string(text), "import "))
}
