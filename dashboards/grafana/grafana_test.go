// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCommittedFileIsWhatTheProgramWrites(t *testing.T) {
	want, err := Overview().JSON()
	require.NoError(t, err)
	got, err := os.ReadFile(OverviewFile)
	require.NoError(t, err)
	require.True(t, json.Valid(got))
	assert.Equal(t, string(want), string(got), "%s is out of date: go run ./dashboards", OverviewFile)
}

func TestPanelsHaveTheirOwnIDAndPlace(t *testing.T) {
	ids, cells := map[int]string{}, map[[2]int]string{}
	for _, p := range Overview().Panels {
		assert.Empty(t, ids[p.ID], "panels %q and %q share an id", ids[p.ID], p.Title)
		ids[p.ID] = p.Title
		assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				assert.Empty(t, cells[at], "panels %q and %q overlap", cells[at], p.Title)
				cells[at] = p.Title
			}
		}
	}
}

func TestQueriesHaveTheirOwnIDAndKnownVariables(t *testing.T) {
	known := map[string]string{"service": "s", "metric": "m", "statistic": "v", "__range": "1h"}
	seen := map[string]bool{}
	for _, q := range Queries() {
		assert.False(t, seen[q.ID], "two queries are called %q", q.ID)
		seen[q.ID] = true
		assert.NotContains(t, q.Expand(known), "$", "%s has a variable that is not set", q.ID)
		assert.Equal(t, strings.Count(q.Expr, "("), strings.Count(q.Expr, ")"), q.ID)
	}
}

func TestNamesAreWhatPrometheusAccepts(t *testing.T) {
	assert.Equal(t, "anomaly_max_score", Prometheus("anomaly.max_score"))
	for _, name := range []string{service, host, metric, stat} {
		assert.Regexp(t, `^[a-z_][a-z0-9_]*$`, name)
	}
}

func TestIntervalIsFilledBetweenItsTwoEnds(t *testing.T) {
	for _, o := range interval().FieldConfig.Overrides {
		for _, p := range o.Properties {
			if p.ID == "custom.fillBelowTo" {
				assert.Equal(t, seriesUpper.Legend, o.Matcher.Options)
				assert.Equal(t, seriesLower.Legend, p.Value)
				return
			}
		}
	}
	assert.Fail(t, "no series is filled down to another")
}
