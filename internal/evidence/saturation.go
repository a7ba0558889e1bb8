// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// resourceSigns maps words in the names of host metrics to the direction in which the metric
// shows exhaustion of a resource. The first rule whose words all occur applies. It contains no
// metrics that count work done, such as bytes or operations: much work is not exhaustion.
var resourceSigns = []struct {
	words     []string
	direction string
}{
	{[]string{"cpu", "idle"}, "low"},
	{[]string{"cpu", "util"}, "high"},
	{[]string{"cpu", "usage"}, "high"},
	{[]string{"cpu", "time"}, "high"},
	{[]string{"cpu", "seconds"}, "high"},
	{[]string{"load_average"}, "high"},
	{[]string{"loadavg"}, "high"},
	{[]string{"load1"}, "high"},
	{[]string{"load5"}, "high"},
	{[]string{"system.load"}, "high"},
	{[]string{"pressure"}, "high"},
	{[]string{"mem", "available"}, "low"},
	{[]string{"mem", "free"}, "low"},
	{[]string{"mem", "us"}, "high"},
	{[]string{"mem", "util"}, "high"},
	{[]string{"swap", "free"}, "low"},
	{[]string{"swap", "us"}, "high"},
	{[]string{"paging", "us"}, "high"},
	{[]string{"paging", "util"}, "high"},
	{[]string{"disk", "used"}, "high"},
	{[]string{"disk", "time"}, "high"},
	{[]string{"disk", "util"}, "high"},
	{[]string{"disk", "busy"}, "high"},
	{[]string{"disk", "pending"}, "high"},
	{[]string{"disk", "queue"}, "high"},
	{[]string{"disk", "free"}, "low"},
	{[]string{"filesystem", "avail"}, "low"},
	{[]string{"filesystem", "free"}, "low"},
	{[]string{"filesystem", "us"}, "high"},
	{[]string{"filesystem", "util"}, "high"},
	{[]string{"net", "drop"}, "high"},
	{[]string{"net", "err"}, "high"},
	{[]string{"net", "retrans"}, "high"},
	{[]string{"tcp", "retrans"}, "high"},
}

// workSigns lists words in the names of host metrics that count work done.
var workSigns = [][]string{
	{"disk", "io"},
	{"disk", "operations"},
	{"disk", "merged"},
	{"disk", "read"},
	{"disk", "writ"},
	{"net", "io"},
	{"net", "bytes"},
	{"net", "octets"},
	{"net", "packets"},
	{"net", "connections"},
	{"paging", "operations"},
	{"paging", "faults"},
	{"pgfault"},
	{"pgmajfault"},
	{"context", "switches"},
	{"interrupts"},
	{"processes", "created"},
	{"forks"},
}

// Work reports whether a host metric counts work done.
func Work(metric string, attributes pcommon.Map) bool {
	name := strings.ToLower(metric)
	return Saturates(metric, attributes) == "" && slices.ContainsFunc(workSigns, func(words []string) bool { return containsAll(name, words) })
}

// stateKeys are the attributes that divide a resource by its use.
var stateKeys = []string{"system.cpu.state", "cpu.mode", "system.memory.state", "system.paging.state", "system.filesystem.state", "state", "mode", "type"}

// Saturates returns the direction, "high" or "low", in which a host metric shows that a resource
// is exhausted. It returns "" for other metrics.
func Saturates(metric string, attributes pcommon.Map) string {
	state := first(attributes, stateKeys...)
	name := strings.ToLower(metric + " " + state)
	for _, sign := range resourceSigns {
		if containsAll(name, sign.words) {
			if spare[state] {
				return "low"
			}
			return sign.direction
		}
	}
	return ""
}

// spare holds the states of a resource that is not in use. Cached memory can be freed.
var spare = map[string]bool{"idle": true, "free": true, "available": true, "cached": true, "buffered": true}

func containsAll(name string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(name, word) {
			return false
		}
	}
	return true
}
