// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Log lines that belong to no request.
var (
	upkeep = []string{
		"connection pool: {n} of 40 connections in use",
		"heap after collection: {n} MB freed in {ms} ms",
		"configuration checked, revision {hex} is current",
	}
	mailed  = []string{"mail {hex} to customer {id} handed over in {ms} ms", "mail {hex} to customer {id} has {n} attachments"}
	starts  = "starting, version {version}, process {n}"
	ended   = "out of memory: killed by the node, {mb} MB in use"
	refused = "no connection to {peer}: connection refused"
)

// Log lines of a bad deployment: each part of the new code logs each of these sentences.
var (
	newParts = []string{
		"price rule cache", "tax table", "coupon index", "session bridge", "flag store",
		"currency feed", "audit writer", "address normaliser", "retry ledger", "warehouse map",
	}
	newSentences = []string{
		"{part} rebuilt with {n} entries in {ms} ms",
		"fallback to defaults because {part} got nothing from {ip}",
		"migrating {part} from layout {n} to layout {n}",
		"key {hex} is not in the schema of {part}",
		"tenant {id} has no {part} yet, making one",
	}
)

// NewLines is the number of templates of a bad deployment.
const NewLines = 50

// newLine returns one of the log lines of the new version.
func newLine(k int) string {
	return strings.ReplaceAll(newSentences[k/len(newParts)%len(newSentences)], "{part}", newParts[k%len(newParts)])
}

var countries = []string{"AT", "BE", "CZ", "DE", "DK", "ES", "FI", "FR", "IE", "IT", "NL", "PL", "PT", "SE"}

// words fills in the variables of a line. took is the duration in the line.
func words(ink *rand.Rand, line string, took time.Duration) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(line, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString(variable(ink, name, took))
		line = after
	}
}

func variable(ink *rand.Rand, name string, took time.Duration) string {
	switch name {
	case "id":
		return strconv.Itoa(1000 + ink.IntN(99_000))
	case "n":
		return strconv.Itoa(1 + ink.IntN(30))
	case "ms":
		return strconv.FormatInt(took.Milliseconds(), 10)
	case "eur":
		return strconv.FormatFloat(float64(100+ink.IntN(40_000))/100, 'f', 2, 64)
	case "ip":
		return "10.0." + strconv.Itoa(ink.IntN(256)) + "." + strconv.Itoa(ink.IntN(256))
	case "country":
		return countries[ink.IntN(len(countries))]
	default: // hex
		return strconv.FormatUint(ink.Uint64()|1<<63, 16)
	}
}
