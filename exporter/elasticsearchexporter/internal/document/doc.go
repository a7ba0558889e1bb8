// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package document makes Elasticsearch documents out of telemetry: their JSON,
// their ids, and the data stream or index that each belongs to. It sends nothing.
package document
