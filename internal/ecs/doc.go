// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package ecs converts events in the Elastic Common Schema, as sent by Beats and other clients of
// Elasticsearch and Logstash, to log records and metrics. For the way back, it returns a field's
// name in the original document.
package ecs
