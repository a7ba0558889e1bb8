// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"regexp"
	"strconv"
	"strings"
)

// queueLoaded matches the log message of core's queue at its start.
var queueLoaded = regexp.MustCompile(`Loaded queue metadata\t.*"writeIndex": (\d+).*"dispatchedItems": (\d+)`)

const queueGone = "Failed retrieving item\t"

// queueStart is one start of a queue on disk.
type queueStart struct {
	written, dispatched, gone int
	line                      string
}

// LostByCore returns the number of requests that core lost while it moved in-flight requests back
// to the queue, with the log lines as proof. Core deletes them before it appends them, so a kill
// in between loses them. The next start proves it: it does not find them, and the end of the
// queue has not moved.
func LostByCore(log string) (requests int, proof []string) {
	var starts []queueStart
	for line := range strings.SplitSeq(log, "\n") {
		if m := queueLoaded.FindStringSubmatch(line); m != nil {
			written, _ := strconv.Atoi(m[1])
			dispatched, _ := strconv.Atoi(m[2])
			starts = append(starts, queueStart{written: written, dispatched: dispatched, line: line})
		} else if strings.Contains(line, queueGone) && len(starts) > 0 {
			starts[len(starts)-1].gone++
		}
	}
	for i := 1; i < len(starts); i++ {
		before, now := starts[i-1], starts[i]
		if lost := min(now.gone, before.dispatched-(now.written-before.written)); lost > 0 {
			requests += lost
			proof = append(proof, before.line, now.line)
		}
	}
	return requests, proof
}
