// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package conftree reads a configuration of the Collector that is a tree of maps.
package conftree

import "strings"

// Section returns the map at a path, or nil if it is absent, empty, or not a map.
func Section(conf map[string]any, path ...string) map[string]any {
	for _, key := range path {
		conf, _ = conf[key].(map[string]any)
	}
	return conf
}

// Kind returns the type of a component from its id, such as otlp for "otlp/a". Like the
// Collector, it ignores space around the type.
func Kind(id string) string {
	kind, _, _ := strings.Cut(id, "/")
	return strings.TrimSpace(kind)
}
