// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"regexp"
	"strconv"
	"strings"
)

// What the queue of the collector's core says when it starts.
var queueLoaded = regexp.MustCompile(`Loaded queue metadata\t.*"writeIndex": (\d+).*"dispatchedItems": (\d+)`)

const queueGone = "Failed retrieving item\t"

// queueStart is one start of a queue on disk.
type queueStart struct {
	written, dispatched, gone int
	line                      string
}

// LostByCore tells how many requests the core lost while it put those that were
// in flight back into its queue. It first deletes them and then writes them at the
// end: a kill in between leaves them nowhere. The next start shows it beyond
// doubt: it does not find them, and the end of the queue has not moved.
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
