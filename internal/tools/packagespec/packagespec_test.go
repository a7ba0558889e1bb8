// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package packagespec

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic/package-spec/v3/code/go/pkg/specerrors"
	"github.com/elastic/package-spec/v3/code/go/pkg/validator"
)

// frame has the files of a package around its objects.
var frame = map[string]string{
	"manifest.yml": `format_version: 3.5.0
name: auspex
title: Auspex
description: Dashboards of Auspex.
version: 0.0.1
type: integration
categories: [observability]
conditions:
  kibana: {version: ^8.19.0 || ^9.0.0}
policy_templates: []
owner: {github: auspex-otel/auspex, type: community}
`,
	"changelog.yml": `- version: 0.0.1
  changes:
    - {description: Dashboards., type: enhancement, link: https://github.com/auspex-otel/auspex/issues/23}
`,
	"docs/README.md": "# Auspex\n",
}

// faults returns what the validator finds in saved objects, one JSON object per line.
func faults(t *testing.T, objects []byte) (list []string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "auspex")
	write := func(name string, text []byte) {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range frame {
		write(name, []byte(text))
	}
	n := 0
	for line := range bytes.Lines(objects) {
		var o struct{ Type, ID string }
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatal(err)
		}
		n++
		write("kibana/"+strings.ReplaceAll(o.Type, "-", "_")+"/"+o.ID+".json", line)
	}
	if n == 0 {
		t.Fatal("no saved objects")
	}
	err := validator.ValidateFromPath(dir)
	var found specerrors.ValidationErrors
	if err != nil && !errors.As(err, &found) {
		t.Fatal(err)
	}
	for _, e := range found {
		// Elastic's packages filter each dashboard by their dataset. These dashboards select documents by data view.
		if e.Code() != specerrors.CodeKibanaDashboardWithoutFilter {
			list = append(list, e.Error())
		}
	}
	t.Logf("%d saved objects, %d faults", n, len(list))
	return list
}

func TestSavedObjects(t *testing.T) {
	objects, err := os.ReadFile("../../../dashboards/kibana/auspex.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults(t, objects) {
		t.Error(fault)
	}
	// The validator finds what is wrong.
	for from, to := range map[string]string{
		`"type":"dashboard"`: `"type":"visualization"`,
		`"references":[{"id":"auspex-incidents","name":"kibanaSavedObjectMeta.searchSourceJSON.index","type":"index-pattern"}]`: `"references":[{"id":"x","name":"x","type":"search"}]`,
		`"id":"auspex-overview"`: `"id":"overview"`,
	} {
		broken := strings.ReplaceAll(string(objects), from, to)
		if broken == string(objects) {
			t.Errorf("no object has %s", from)
		}
		if len(faults(t, []byte(broken))) == 0 {
			t.Errorf("no fault found: %s", to)
		}
	}
}
