// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/confmap"
)

// refused maps the keys of contrib's exporter that this exporter does not support to the reason.
var refused = map[string]string{
	"bulk_response_filter_path": "the answer to every document is read",
	"discover":                  "nodes are not discovered: list them in endpoints",
	"flush":                     "every batch is sent before the call returns, so there is no buffer to flush: use sending_queue::batch for larger batches, max_bulk_bytes for smaller requests",
	"index":                     "use logs_index, metrics_index or traces_index",
	"logstash_format":           "documents go to data streams, which roll over by themselves: use logs_index, metrics_index, and traces_index, or an ingest pipeline, for other names",
	"metadata_keys":             "a queue on disk does not keep client metadata",
	"num_workers":               "use sending_queue::num_consumers",
	"telemetry":                 "bodies are not logged: rejected documents are in the dead letter",
	"mapping::dedot":            "fields are objects in mode ecs and dotted names in mode otel",
	"mapping::dedup":            "of attributes with the same name only the first is kept",
}

func refuse(conf *confmap.Conf) error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(refused)) {
		if conf.IsSet(key) {
			errs = append(errs, fmt.Errorf("%s is not supported: %s", key, refused[key]))
		}
	}
	return errors.Join(errs...)
}
