// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package ecs turns events in the names of the Elastic Common Schema, as Beats
// and other clients of Elasticsearch and Logstash send them, into log records
// and metrics, and knows the way back: a field's name in the document that a
// record was made of.
package ecs
