// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package alertmanagerexporter sends the incidents of the engine to Alertmanager, one
// alert per incident. It reads the event auspex.incident, and sends the alert again
// while the incident is open, because Alertmanager resolves an alert that expires.
package alertmanagerexporter
