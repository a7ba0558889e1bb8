// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package config embeds the configurations that ship in otelcol-auspex.
//
// Each is a plain collector configuration. The config provider in auspexprovider serves them with the scheme auspex,
// such as auspex:default, auspex:agent, and auspex:gateway.
package config
