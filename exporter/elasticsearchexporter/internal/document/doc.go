// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package document converts telemetry to Elasticsearch documents: their JSON, their ids, and the
// data stream or index of each. It does not send them.
package document
