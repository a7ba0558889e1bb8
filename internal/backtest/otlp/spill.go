// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"time"

	"github.com/auspex-otel/auspex/internal/backtest/report"
)

// spill stores verdicts in a file until the worst series are known.
type spill struct {
	file *os.File
	out  *bufio.Writer
}

// record is a verdict of the series with a number.
type record struct {
	series uint32
	time   int64
	value  float64
	report.Verdict
}

const recordSize = 4 + 7*8

func newSpill(dir string) (*spill, error) {
	file, err := os.CreateTemp(dir, ".verdicts-*")
	if err != nil {
		return nil, err
	}
	return &spill{file, bufio.NewWriterSize(file, 1<<16)}, nil
}

func (s *spill) remove() {
	_ = s.file.Close() // the file is not read again
	_ = os.Remove(s.file.Name())
}

func (s *spill) add(r record) error {
	b := binary.LittleEndian.AppendUint32(s.out.AvailableBuffer(), r.series)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.time))
	for _, v := range [...]float64{r.value, r.Score, r.Opening, r.Expected, r.Lower, r.Upper} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	_, err := s.out.Write(b)
	return err
}

// pictures plots the given series, in their order.
func (s *spill) pictures(list []*judged) ([]report.Picture, error) {
	if err := s.out.Flush(); err != nil {
		return nil, err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	pictures, plots := make([]report.Picture, len(list)), map[uint32]*report.Plot{}
	for i, j := range list {
		plots[j.number] = &report.Plot{}
		pictures[i] = report.Picture{Summary: j.Summary, Plot: plots[j.number]}
	}
	in, b := bufio.NewReaderSize(s.file, 1<<20), make([]byte, recordSize)
	for {
		if _, err := io.ReadFull(in, b); errors.Is(err, io.EOF) {
			return pictures, nil
		} else if err != nil {
			return nil, err
		}
		if p := plots[binary.LittleEndian.Uint32(b)]; p != nil {
			r := parseRecord(b)
			p.Add(time.Unix(0, r.time), r.value, &r.Verdict)
		}
	}
}

func parseRecord(b []byte) record {
	float := func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b[12+8*i:])) }
	return record{
		binary.LittleEndian.Uint32(b), int64(binary.LittleEndian.Uint64(b[4:])), float(0),
		report.Verdict{Score: float(1), Opening: float(2), Expected: float(3), Lower: float(4), Upper: float(5)},
	}
}
