// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package dashboards tests the shipped dashboards. It plays the demo's shop with a fault through the built collector
// into a real Prometheus and a real Elasticsearch, runs the query of every panel there, checks the responses against
// the data that was sent and the console's API, and draws the panels from the responses in Chromium.
package dashboards
