// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/auspex-otel/auspex/e2e/clients"
)

const (
	metricName = "campaign_load"
	// batchRecords is the number of records of a request. It is small, so that many requests are measured.
	batchRecords = 25
)

// ledger lists the sent, acknowledged, and found records of a row. A record is a number below 10^7. It appears in the
// text of a log record, or in the value of a point from the tenth decimal place on.
type ledger struct {
	run string
	row int

	mu           sync.Mutex
	total        int // acknowledged
	acknowledged []bool
	found        []uint8 // number of copies
	letters      []bool
}

func newLedger(run string, row int) *ledger { return &ledger{run: run, row: row} }

// next assigns numbers to the records of a batch and returns the first one.
func (l *ledger) next() (first int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first = len(l.acknowledged)
	l.acknowledged = append(l.acknowledged, make([]bool, batchRecords)...)
	l.found = append(l.found, make([]uint8, batchRecords)...)
	l.letters = append(l.letters, make([]bool, batchRecords)...)
	return first
}

// acknowledge records that a batch was acknowledged.
func (l *ledger) acknowledge(first int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range batchRecords {
		l.acknowledged[first+i] = true
	}
	l.total += batchRecords
}

// find records that the backend has a record.
func (l *ledger) find(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < len(l.found) && l.found[n] < math.MaxUint8 {
		l.found[n]++
	}
}

// findLetter records that a dead letter has a record.
func (l *ledger) findLetter(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < len(l.letters) {
		l.letters[n] = true
	}
}

// forget resets the found records before the next count.
func (l *ledger) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.found)
	clear(l.letters)
}

// balance holds the totals of a ledger.
type balance struct {
	acknowledged, found, letters, missing, duplicates int
	firstMissing                                      int
}

func (l *ledger) balance() (b balance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.firstMissing = -1
	for n, acknowledged := range l.acknowledged {
		if acknowledged {
			b.acknowledged++
		}
		switch {
		case l.found[n] > 0:
			b.found++
			b.duplicates += int(l.found[n]) - 1
		case l.letters[n]:
			b.letters++
		case acknowledged:
			if b.missing++; b.firstMissing < 0 {
				b.firstMissing = n
			}
		}
	}
	return b
}

// count returns the number of acknowledged records.
func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

// logs returns the log records of a batch.
func (l *ledger) logs(first int, at time.Time) (logs []clients.Log) {
	for n := first; n < first+batchRecords; n++ {
		logs = append(logs, clients.Log{
			Time: at, ID: fmt.Sprintf("%s-%d-%d", l.run, l.row, n),
			Text: fmt.Sprintf("run %s row %d record %d of the campaign was written", l.run, l.row, n),
		})
	}
	return logs
}

var recordText = regexp.MustCompile(`run ([0-9a-f]+) row (\d+) record (\d+) of the campaign`)

// readTexts calls do for every log record of a run in a text.
func readTexts(run, text string, do func(row, n int)) {
	for _, m := range recordText.FindAllStringSubmatch(text, -1) {
		row, _ := strconv.Atoi(m[2])
		n, _ := strconv.Atoi(m[3])
		if m[1] == run {
			do(row, n)
		}
	}
}

// points returns the points of a batch. Each belongs to a different series of the worker.
func (l *ledger) points(worker, first int, at time.Time, random *rand.Rand) (points []clients.Point) {
	for i := range batchRecords {
		points = append(points, clients.Point{
			Time: at, Value: encodeValue(50+3*random.NormFloat64(), first+i),
			Labels: map[string]string{"run": l.run, "row": strconv.Itoa(l.row), "series": strconv.Itoa(worker*batchRecords + i)},
		})
	}
	return points
}

const (
	valueStep  = 0.01
	recordStep = 1e-10
)

// encodeValue stores the number of a record in the digits of a value after the second decimal place.
func encodeValue(v float64, n int) float64 {
	return math.Round(v/valueStep)/(1/valueStep) + float64(n)*recordStep
}

// decodeValue is the inverse of encodeValue.
func decodeValue(v float64) (n int) {
	rounded := math.Floor(v/valueStep+valueStep/4) / (1 / valueStep)
	return int(math.Round((v - rounded) / recordStep))
}
