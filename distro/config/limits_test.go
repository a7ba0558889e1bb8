// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// sentBytes is the default of max_request_bytes of reliable_otlp.
const sentBytes = 4 << 20

func otlpIsReliable(c collector) []string {
	var found []string
	for _, id := range sections(c.Exporters, "otlp_grpc", "otlp", "otlp_http", "otlphttp", "load_balancing", "loadbalancing") {
		found = append(found, "exporters::"+id+": drops what the next hop rejects: put it into a reliable_otlp")
	}
	return found
}

// servers returns the protocols of the OTLP receivers, by their path.
func servers(c collector) (grpc, http map[string]section) {
	grpc, http = map[string]section{}, map[string]section{}
	for _, id := range sections(c.Receivers, "otlp") {
		protocols := c.Receivers[id].sub("protocols")
		for name, of := range map[string]map[string]section{"grpc": grpc, "http": http} {
			if _, ok := protocols[name]; ok {
				of["receivers::"+id+"::protocols::"+name] = protocols.sub(name)
			}
		}
	}
	return grpc, http
}

// accepted returns the maximum request size of a configuration by protocol.
func accepted(c collector) map[string]int {
	grpc, http := servers(c)
	bytes := map[string]int{}
	for path, s := range grpc {
		mib, _ := s["max_recv_msg_size_mib"].(int)
		bytes[path] = mib << 20
	}
	for path, s := range http {
		bytes[path], _ = s["max_request_body_size"].(int)
	}
	return bytes
}

// sent returns the largest request of a configuration's OTLP exporters, or 0 without exporters.
func sent(c collector) (bytes int) {
	for _, id := range sections(c.Exporters, "reliable_otlp") {
		if c.Exporters[id].sub("kafka") != nil {
			continue // messages, which Kafka bounds
		}
		size, ok := c.Exporters[id]["max_request_bytes"].(int)
		if !ok {
			size = sentBytes
		}
		bytes = max(bytes, size)
	}
	return bytes
}

func otlpSizesAreAligned(c collector) []string {
	var found []string
	sizes := map[int]bool{}
	for path, bytes := range accepted(c) {
		if sizes[bytes] = true; bytes == 0 {
			found = append(found, path+": has no limit of the size of a request")
		}
	}
	if len(sizes) > 1 {
		found = append(found, fmt.Sprintf("receivers: requests of different sizes are accepted: %v", accepted(c)))
	}
	return found
}

// otlpReadsInTime checks the time-outs of OTLP receivers. Core's receiver has none by default.
func otlpReadsInTime(c collector) []string {
	var found []string
	_, http := servers(c)
	for path, s := range http {
		for _, key := range []string{"read_timeout", "read_header_timeout"} {
			if s.text(key) == "" || s.isZero(key) {
				found = append(found, path+"::"+key+": is not set, so an incomplete request is kept open")
			}
		}
	}
	return found
}

func otlpMemoryIsBounded(c collector) []string {
	var found []string
	grpc, http := servers(c)
	for _, of := range []map[string]section{grpc, http} {
		for path, s := range of {
			list, _ := s["middlewares"].([]any)
			if !slices.ContainsFunc(list, func(m any) bool { return fmt.Sprint(m) == fmt.Sprint(section{"id": "request_limiter"}) }) {
				found = append(found, path+"::middlewares: request_limiter is missing")
			}
		}
	}
	if len(grpc)+len(http) == 0 {
		return found
	}
	if !slices.Contains(c.Service.Extensions, "request_limiter") {
		found = append(found, "service::extensions: request_limiter is missing")
	}
	limit, process := c.Extensions["request_limiter"]["limit_mib"], c.Processors["memory_limiter"]["limit_mib"]
	if limit == nil || limit != process {
		found = append(found, fmt.Sprintf("extensions::request_limiter::limit_mib: is %v, and that of memory_limiter %v", limit, process))
	}
	return found
}

// TestNextHopAcceptsWhatIsSent verifies that every configuration accepts the requests of all others.
func TestNextHopAcceptsWhatIsSent(t *testing.T) {
	parsed := map[string]collector{}
	for _, name := range Names() {
		text, _ := Read(name)
		var c collector
		require.NoError(t, yaml.Unmarshal(text, &c))
		parsed[name] = c
	}
	pairs := 0
	for from, c := range parsed {
		for to, next := range parsed {
			for path, bytes := range accepted(next) {
				if sent(c) > 0 {
					pairs++
					assert.LessOrEqual(t, sent(c), bytes, "%s to %s, %s", from, to, path)
				}
			}
		}
	}
	assert.Equal(t, 3*6*2, pairs, "three configurations send, six receive over two protocols")
}
