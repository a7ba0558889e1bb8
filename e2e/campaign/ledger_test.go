// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestValueKeepsItsRecord(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 100_000 {
		n := random.IntN(10_000_000)
		assert.Equal(t, n, decodeValue(encodeValue(50+10*random.NormFloat64(), n)))
	}
	assert.Equal(t, 0, decodeValue(encodeValue(50.29, 0)))
}

func TestTextKeepsItsRecord(t *testing.T) {
	l := newLedger("ab12", 3)
	first := l.next()
	var found []int
	for _, log := range l.logs(first, time.Time{}) {
		readTexts("ab12", "{"+log.Text+"}", func(row, n int) {
			assert.Equal(t, 3, row)
			found = append(found, n)
		})
		readTexts("cd34", log.Text, func(int, int) { t.Error("the record is of another run") })
	}
	assert.Len(t, found, batchRecords)
}

func TestBalance(t *testing.T) {
	l := newLedger("ab12", 0)
	first, second, third := l.next(), l.next(), l.next()
	l.acknowledge(first)
	l.acknowledge(second)
	for n := range batchRecords {
		l.find(first + n)
		l.find(third + n) // the acknowledgement was lost
	}
	l.find(first)
	l.findLetter(second)
	l.findLetter(second)
	assert.Equal(t, balance{
		acknowledged: 2 * batchRecords, found: 2 * batchRecords, letters: 1, missing: batchRecords - 1, duplicates: 1, firstMissing: second + 1,
	}, l.balance())
	l.forget()
	assert.Equal(t, 2*batchRecords, l.balance().missing)
}
