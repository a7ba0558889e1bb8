// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

const module = "github.com/auspex-otel/auspex"

// layer is a level of the architecture. A package imports from lower layers only, and within its
// own layer if sameLayer permits it.
type layer int

const (
	unknown layer = iota
	pure
	foundation
	judging
	signal
	engine
	component
	program
	apart
)

var layerNames = map[layer]string{
	pure: "pure", foundation: "foundation", judging: "judge", signal: "signal", engine: "engine", component: "component", program: "program", apart: "test support",
}

// layers assigns every folder to a layer. The longest match applies.
var layers = map[string]layer{
	"internal/exact":      pure,
	"internal/detect":     pure,
	"internal/template":   pure,
	"internal/mask":       pure,
	"internal/topology":   pure,
	"internal/trace":      pure,
	"internal/causes":     pure,
	"internal/incident":   pure,
	"internal/stats":      pure,
	"internal/state":      pure,
	"internal/prefetch":   pure,
	"internal/charts":     pure,
	"internal/plot":       pure,
	"internal/wire":       pure,
	"internal/memory":     pure,
	"internal/conftree":   pure,
	"internal/datapoints": foundation,
	"internal/deadletter": foundation,
	"internal/ecs":        foundation,
	"internal/vocabulary": foundation,
	"internal/series":     foundation,
	"internal/promseries": foundation,
	"internal/policy":     foundation,
	"internal/engine":     engine,
	// The parts of the engine do not import the engine.
	"internal/engine/budget":   pure,
	"internal/engine/census":   foundation,
	"internal/engine/clock":    pure,
	"internal/engine/window":   pure,
	"internal/engine/deed":     foundation,
	"internal/engine/feedback": foundation,
	"internal/engine/intake":   foundation,
	"internal/engine/meter":    foundation,
	"internal/engine/pace":     pure,
	"internal/engine/past":     foundation,
	"internal/engine/greatest": pure,
	"internal/engine/view":     foundation,
	"internal/engine/recent":   foundation,
	"internal/engine/room":     foundation,
	"internal/engine/shards":   pure,
	"internal/engine/snapshot": foundation,
	"internal/engine/outlet":   pure,
	"internal/engine/pending":  foundation,
	"internal/engine/witness":  foundation,
	// The judge knows no signal, and no signal knows another.
	"internal/engine/judge":   judging,
	"internal/engine/metrics": signal,
	"internal/engine/logs":    signal,
	"internal/engine/spans":   signal,
	"internal/engine/causes":  signal,
	"internal/warmup":         engine,
	"internal/evidence":       foundation,
	"internal/tap":            foundation,
	"internal/backtest":       component,
	"internal/findings":       engine,
	"internal/replay":         engine,
	"internal/worker":         component,
	"receiver":                component,
	"processor":               component,
	"exporter":                component,
	"connector":               component,
	"extension":               component,
	"distro":                  program,
	"cmd":                     program,
	"e2e":                     program,
	"eval":                    program,
	"demo":                    program,
	"dashboards":              program,
	"internal/archtest":       apart,
	"internal/corpus":         apart,
	"internal/golden":         apart,
	"internal/peertest":       apart,

	"internal/excerpt":       pure,
	"internal/template/hash": pure,
	"internal/template/scan": pure,
	"internal/exporterutil":  foundation,
	"internal/logutil":       foundation,
	"internal/memstorage":    foundation,
	"internal/receiverutil":  foundation,
	"internal/shutdown":      pure,
}

// testLibraries lists what the tests of a pure package may import besides the standard library.
var testLibraries = []string{"github.com/stretchr/testify", "github.com/tetratelabs/wazero", "go.uber.org/goleak", "golang.org/x/tools/txtar", "pgregory.net/rapid"}

// pkg describes the package of one Go file, with a path relative to the module.
type pkg struct {
	path string
	test bool
}

// judge returns the reason why from may not import the package to, or "" if it may.
func judge(from pkg, to string) string {
	own := layerOf(from.path)
	if own == unknown {
		return "has no place in the import law: add its folder to the table layers in internal/archtest"
	}
	local, inModule := relative(to)
	if !inModule {
		return judgeForeign(own, from, to)
	}
	target := layerOf(local)
	switch {
	case target == unknown:
		return fmt.Sprintf("imports %s, which has no place in the import law", local)
	case target == apart:
		if own == apart || from.test || strings.HasPrefix(from.path+"/", "e2e/") {
			return ""
		}
		return fmt.Sprintf("imports %s, which is for tests only", local)
	case own == apart:
		return fmt.Sprintf("imports %s: test support knows nothing of the product", local)
	case target > own:
		return fmt.Sprintf("is %s and imports %s, which is %s: imports go downward", layerNames[own], local, layerNames[target])
	case own == signal && target == signal && from.path != local:
		return fmt.Sprintf("imports %s: a signal never imports another", local)
	case own == component && target == component && root(from.path) != root(local):
		return fmt.Sprintf("imports %s: a component never imports another", local)
	}
	return ""
}

func judgeForeign(own layer, from pkg, to string) string {
	if own != pure || isStandard(to) {
		return ""
	}
	if from.test && slices.ContainsFunc(testLibraries, func(lib string) bool { return within(to, lib) }) {
		return ""
	}
	return fmt.Sprintf("is pure and imports %s: only the standard library and other pure packages are allowed", to)
}

func layerOf(local string) layer {
	for dir := local; dir != "."; dir = path.Dir(dir) {
		if l, ok := layers[dir]; ok {
			return l
		}
	}
	return unknown
}

// root returns the folder of the component that contains a package, such as
// receiver/findingsreceiver.
func root(local string) string {
	parts := strings.SplitN(local, "/", 3)
	return path.Join(parts[:min(2, len(parts))]...)
}

func relative(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

func within(importPath, prefix string) bool {
	return importPath == prefix || strings.HasPrefix(importPath, prefix+"/")
}

// isStandard reports whether a path belongs to the standard library. All other paths have a dot
// in the first element.
func isStandard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
