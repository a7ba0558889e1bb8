// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package config holds the configurations that ship inside otelcol-auspex.
//
// Each is a plain collector configuration. The config provider beside it, in
// auspexprovider, serves them under the scheme auspex: auspex:default,
// auspex:agent, auspex:gateway and so on.
package config
