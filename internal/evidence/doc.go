// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package evidence reads telemetry for the engine and internal/causes: the text and severity of
// log records, the calls between services, where a service runs, and the resource usage of its
// instances.
package evidence
