// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/deadletter"
)

// readDeadLetters calls find for every record of a run in the dead letters below a folder.
func readDeadLetters(run, folder string, find func(row, n int)) error {
	_, err := deadletter.Read(folder, func(l deadletter.Letter) error {
		if err := readLetter(run, l, find); err != nil {
			return fmt.Errorf("dead letter of %s: %w", l.Component, err)
		}
		return nil
	})
	return err
}

// readLetter reads one dead letter. docs/formats/dead_letter.md describes the payload of each component.
func readLetter(run string, l deadletter.Letter, find func(row, n int)) error {
	switch {
	case strings.Contains(l.Component, "prometheus_remote_write"):
		body, err := snappy.Decode(nil, l.Payload)
		if err != nil {
			return err
		}
		var request prompb.WriteRequest
		if err := request.Unmarshal(body); err != nil {
			return err
		}
		readWriteRequest(run, request, find)
	case strings.Contains(l.Component, "reliable_otlp") && l.Signal == "logs":
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(l.Payload)
		if err != nil {
			return err
		}
		readLogs(run, ld, find)
	case strings.Contains(l.Component, "reliable_otlp"):
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(l.Payload)
		if err != nil {
			return err
		}
		readMetrics(run, md, find)
	default: // documents and events; hostile ones may not be objects
		var document map[string]any
		if json.Unmarshal(l.Payload, &document) == nil {
			readDocument(run, document, find)
		}
	}
	return nil
}

func readWriteRequest(run string, request prompb.WriteRequest, find func(row, n int)) {
	for _, ts := range request.Timeseries {
		labels := map[string]string{}
		for _, l := range ts.Labels {
			labels[l.Name] = l.Value
		}
		row, err := strconv.Atoi(labels["row"])
		if err != nil || labels["run"] != run || labels["__name__"] != metricName {
			continue
		}
		for _, s := range ts.Samples {
			find(row, decodeValue(s.Value))
		}
	}
}
