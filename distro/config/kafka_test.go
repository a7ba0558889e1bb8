// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"

	"github.com/auspex-otel/auspex/internal/conftree"
)

// kafkaCommitsAfterwards checks that an offset is committed after the pipeline has accepted the data, that nothing
// is skipped, and that a message that can never be accepted does not stop its partition.
func kafkaCommitsAfterwards(c collector) []string {
	var found []string
	for _, id := range sections(c.Receivers, "kafka") {
		r := c.Receivers[id]
		if m := r.sub("message_marking"); m["after"] != true || m["on_error"] == true || m["on_permanent_error"] != true {
			found = append(found, "receivers::"+id+"::message_marking: must be after: true, on_error: false, on_permanent_error: true")
		}
		if b := r.sub("error_backoff"); b["enabled"] != true || !b.isZero("max_elapsed_time") {
			found = append(found, "receivers::"+id+"::error_backoff: must be enabled with max_elapsed_time: 0, or a partition stops after an error")
		}
		if r.text("initial_offset") != "earliest" {
			found = append(found, "receivers::"+id+"::initial_offset: is not earliest, so a new group skips data")
		}
	}
	return found
}

// kafkaKeepsServicesTogether checks that all receivers of a gateway get the same partitions of their topics, and that
// only reliable_otlp, which sets the key, writes to Kafka.
func kafkaKeepsServicesTogether(c collector) []string {
	var found []string
	groups := map[string]string{}
	for _, id := range sections(c.Receivers, "kafka") {
		r := c.Receivers[id]
		if fmt.Sprint(r["group_rebalance_strategies"]) != "[range]" || r.text("group_instance_id") == "" {
			found = append(found, "receivers::"+id+": needs group_rebalance_strategies: [range] and group_instance_id, or the signals of a service go to different gateways")
		}
		group := r.text("group_id")
		if other, taken := groups[group]; taken {
			found = append(found, "receivers::"+id+"::group_id: is that of "+other+", which has the same group_instance_id")
		}
		groups[group] = id
	}
	for _, id := range sections(c.Exporters, "kafka") {
		found = append(found, "exporters::"+id+": does not use the service as the key, and drops messages that are too large: put it into a reliable_otlp")
	}
	return found
}

// kafkaKeepsOrder checks that the points of a series reach Kafka in their order.
func kafkaKeepsOrder(c collector) []string {
	var found []string
	for id, e := range c.Exporters {
		if conftree.Kind(id) == "reliable_otlp" && e.sub("kafka") != nil && e.sub("sending_queue")["num_consumers"] != 1 {
			found = append(found, "exporters::"+id+"::sending_queue::num_consumers: is not 1, so the points of a series change their order")
		}
	}
	return found
}
