// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package otlp runs recorded OTLP through one engine in event time, as a collector
// would have received it, and writes the anomalies and incidents that it finds.
package otlp
