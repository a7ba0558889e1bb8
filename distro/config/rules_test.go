// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/auspex-otel/auspex/internal/conftree"
)

// rule is a condition of the acknowledgement promise. check returns the violations.
type rule struct {
	name  string
	check func(collector) []string
}

// rules lists the acknowledgement rules of shipped configurations. Each has a fixture testdata/<name>.yaml, which
// violates only this rule.
var rules = []rule{
	{"no-batch", noComponent("processors", "batch", "acknowledges before anything is delivered")},
	{"no-tail-sampling", noComponent("processors", "tail_sampling", "acknowledges spans that it holds in memory")},
	{"memory-limiter-first", memoryLimiterFirst},
	{"queue-is-stated", queueIsStated},
	{"queue-is-safe", queueIsSafe},
	{"queue-retries-without-limit", queueRetriesWithoutLimit},
	{"otlp-sizes-are-aligned", otlpSizesAreAligned},
	{"otlp-reads-in-time", otlpReadsInTime},
	{"otlp-memory-is-bounded", otlpMemoryIsBounded},
	{"otlp-is-reliable", otlpIsReliable},
	{"balanced-parts-wait", balancedPartsWait},
	{"balanced-whole", balancedWhole},
	{"refusals-are-kept", refusalsAreKept},
	{"remote-write-retries-in-time", remoteWriteRetriesInTime},
	{"storage-is-durable", storageIsDurable},
	{"storage-is-apart", storageIsApart},
	{"storage-is-enabled", storageIsEnabled},
	{"engine-is-persistent", engineIsPersistent},
	{"log-files-are-resumed", logFilesAreResumed},
	{"kafka-commits-afterwards", kafkaCommitsAfterwards},
	{"kafka-keeps-services-together", kafkaKeepsServicesTogether},
	{"kafka-keeps-order", kafkaKeepsOrder},
}

// collector is a parsed configuration with unresolved ${} references.
type collector struct {
	Receivers  map[string]section `yaml:"receivers"`
	Processors map[string]section `yaml:"processors"`
	Exporters  map[string]section `yaml:"exporters"`
	Extensions map[string]section `yaml:"extensions"`
	Service    struct {
		Extensions []string            `yaml:"extensions"`
		Pipelines  map[string]pipeline `yaml:"pipelines"`
	} `yaml:"service"`
}

type pipeline struct {
	Receivers  []string `yaml:"receivers"`
	Processors []string `yaml:"processors"`
	Exporters  []string `yaml:"exporters"`
}

// section is the configuration of one component or of a part of it.
type section map[string]any

// UnmarshalYAML leaves a section empty if it is a reference, such as ${auspex:basic_auth}.
func (s *section) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return nil
	}
	return n.Decode((*map[string]any)(s))
}

func (s section) sub(key string) section {
	switch v := s[key].(type) {
	case section:
		return v
	case map[string]any:
		return v
	}
	return nil
}

func (s section) text(key string) string {
	v, ok := s[key].(string)
	if !ok {
		return ""
	}
	return v
}

// isZero reports whether a key is present and zero. An absent key has the component's default, which is not zero.
func (s section) isZero(key string) bool {
	switch v := s[key].(type) {
	case int:
		return v == 0
	case string:
		d, err := time.ParseDuration(v)
		return err == nil && d == 0
	}
	return false
}

// sections returns id and configuration of all components of the given kinds, in a stable order.
func sections(from map[string]section, kinds ...string) []string {
	ids := slices.Sorted(maps.Keys(from))
	return slices.DeleteFunc(ids, func(id string) bool { return !slices.Contains(kinds, conftree.Kind(id)) })
}

func noComponent(where, what, why string) func(collector) []string {
	return func(c collector) []string {
		var found []string
		for _, id := range sections(c.Processors, what) {
			found = append(found, fmt.Sprintf("%s::%s: %s", where, id, why))
		}
		return found
	}
}

// memoryLimiterFirst checks the first processor. A pipeline of findings needs no limiter, because the engine bounds
// findings and resends rejected ones.
func memoryLimiterFirst(c collector) []string {
	var found []string
	for _, id := range slices.Sorted(maps.Keys(c.Service.Pipelines)) {
		p := c.Service.Pipelines[id]
		if !slices.ContainsFunc(p.Receivers, func(r string) bool { return conftree.Kind(r) != "findings" }) {
			continue
		}
		if len(p.Processors) == 0 || conftree.Kind(p.Processors[0]) != "memory_limiter" {
			found = append(found, "service::pipelines::"+id+": memory_limiter is not its first processor")
		}
	}
	return found
}

// queueless lists exporters without a sending_queue, or without one by default.
var queueless = []string{"nop", "debug", "file", "prometheus", "prometheus_remote_write", "alertmanager"}

func queueingExporters(c collector) []string {
	ids := slices.Sorted(maps.Keys(c.Exporters))
	return slices.DeleteFunc(ids, func(id string) bool {
		_, written := c.Exporters[id]["sending_queue"]
		return slices.Contains(queueless, conftree.Kind(id)) && !written
	})
}

func queueIsStated(c collector) []string {
	var found []string
	for _, id := range queueingExporters(c) {
		if c.Exporters[id].sub("sending_queue") == nil {
			found = append(found, "exporters::"+id+": without sending_queue it queues in memory")
		}
	}
	return found
}

func queueIsSafe(c collector) []string {
	var found []string
	for _, id := range queueingExporters(c) {
		queue := c.Exporters[id].sub("sending_queue")
		if queue == nil || queue["enabled"] == false {
			continue
		}
		onDisk, waits := queue.text("storage") != "", queue["wait_for_result"] == true
		if onDisk == waits {
			found = append(found, "exporters::"+id+"::sending_queue: needs storage or wait_for_result: true, and not both")
		}
	}
	return found
}

func queueRetriesWithoutLimit(c collector) []string {
	var found []string
	for _, id := range queueingExporters(c) {
		e := c.Exporters[id]
		if queue := e.sub("sending_queue"); queue == nil || queue["enabled"] == false {
			continue
		}
		if !e.sub("retry_on_failure").isZero("max_elapsed_time") {
			found = append(found, "exporters::"+id+"::retry_on_failure::max_elapsed_time: is not 0, so the queue deletes what it could not send in time")
		}
	}
	return found
}

// balancers returns the load_balancing sections of the exporters, by their path.
func balancers(c collector) map[string]section {
	found := map[string]section{}
	for _, id := range sections(c.Exporters, "reliable_otlp") {
		if b := c.Exporters[id].sub("load_balancing"); b != nil {
			found["exporters::"+id+"::load_balancing"] = b
		}
	}
	return found
}

// balancedPartsWait checks retries. A load balancer has an exporter for each target behind the queue, which retries
// for five minutes by default.
func balancedPartsWait(c collector) []string {
	var found []string
	for path, b := range balancers(c) {
		if !b.sub("protocol").sub("otlp").sub("retry_on_failure").isZero("max_elapsed_time") {
			found = append(found, path+"::protocol::otlp::retry_on_failure::max_elapsed_time: is not 0, so targets that are there get again what one that is away did not take")
		}
	}
	return found
}

func balancedWhole(c collector) []string {
	var found []string
	for path, b := range balancers(c) {
		if key := b.text("routing_key"); key == "" || key == "service" {
			found = append(found, path+"::routing_key: service drops metrics without a service.name, and traces go elsewhere than metrics and logs")
		}
	}
	return found
}

func refusalsAreKept(c collector) []string {
	var found []string
	for _, id := range sections(c.Exporters, "prometheus_remote_write", "elasticsearch", "reliable_otlp", "alertmanager") {
		if c.Exporters[id].sub("dead_letter").text("directory") == "" {
			found = append(found, "exporters::"+id+"::dead_letter::directory: is not set, so data that the server rejects permanently is lost")
		}
	}
	return found
}

func remoteWriteRetriesInTime(c collector) []string {
	var found []string
	for _, id := range sections(c.Exporters, "prometheus_remote_write") {
		if c.Exporters[id].sub("sending_queue") != nil {
			continue // its sender has already received the response
		}
		timeout, errTimeout := time.ParseDuration(c.Exporters[id].text("timeout"))
		retries, errRetries := time.ParseDuration(c.Exporters[id].sub("retry_on_failure").text("max_elapsed_time"))
		if errTimeout != nil || errRetries != nil || retries <= 0 || retries >= timeout {
			found = append(found, "exporters::"+id+": retry_on_failure::max_elapsed_time must be written, above 0 and below timeout")
		}
	}
	return found
}

func storageIsDurable(c collector) []string {
	var found []string
	for _, id := range sections(c.Extensions, "file_storage") {
		for _, key := range []string{"fsync", "recreate", "create_directory"} {
			if c.Extensions[id][key] != true {
				found = append(found, "extensions::"+id+"::"+key+": is not true")
			}
		}
	}
	return found
}

func storageIsApart(c collector) []string {
	var found []string
	owner := map[string]string{}
	for _, id := range sections(c.Extensions, "file_storage") {
		dir := c.Extensions[id].text("directory")
		if !strings.HasPrefix(dir, "${auspex:state}/") {
			found = append(found, "extensions::"+id+"::directory: is not below ${auspex:state}")
		}
		if other, taken := owner[dir]; taken {
			found = append(found, "extensions::"+id+"::directory: is that of "+other)
		}
		owner[dir] = id
	}
	return found
}

func storageIsEnabled(c collector) []string {
	var found []string
	check := func(where, id string) {
		if id != "" && (c.Extensions[id] == nil || !slices.Contains(c.Service.Extensions, id)) {
			found = append(found, where+": "+id+" is not among the configured and enabled extensions")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Exporters)) {
		check("exporters::"+id+"::sending_queue::storage", c.Exporters[id].sub("sending_queue").text("storage"))
		check("exporters::"+id+"::storage", c.Exporters[id].text("storage"))
	}
	for _, id := range slices.Sorted(maps.Keys(c.Receivers)) {
		check("receivers::"+id+"::storage", c.Receivers[id].text("storage"))
	}
	for _, id := range slices.Sorted(maps.Keys(c.Extensions)) {
		check("extensions::"+id+"::storage", c.Extensions[id].text("storage"))
	}
	return found
}

func engineIsPersistent(c collector) []string {
	var found []string
	if len(sections(c.Processors, "anomaly")) > 0 && len(sections(c.Extensions, "anomaly_engine")) == 0 {
		found = append(found, "extensions: anomaly without anomaly_engine forgets everything at a restart")
	}
	for _, id := range sections(c.Extensions, "anomaly_engine") {
		if c.Extensions[id].text("storage") == "" {
			found = append(found, "extensions::"+id+"::storage: is not set")
		}
		if !slices.Contains(c.Service.Extensions, id) {
			found = append(found, "service::extensions: "+id+" is missing")
		}
	}
	return found
}

func logFilesAreResumed(c collector) []string {
	var found []string
	for _, id := range sections(c.Receivers, "file_log", "filelog") {
		r := c.Receivers[id]
		if r.text("storage") == "" {
			found = append(found, "receivers::"+id+"::storage: is not set, so a restart skips lines")
		}
		if retry := r.sub("retry_on_failure"); retry["enabled"] != true || !retry.isZero("max_elapsed_time") {
			found = append(found, "receivers::"+id+"::retry_on_failure: must be enabled with max_elapsed_time: 0, or refused lines are dropped")
		}
	}
	return found
}
