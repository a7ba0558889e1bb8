// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package windows tests that findings appear in the tools that show them: the demo's
// fault in Elasticsearch 8 and 9, Prometheus, and Alertmanager. All of them are real
// servers, which scripts/peers.sh installs.
package windows
