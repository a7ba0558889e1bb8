// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"

	"github.com/auspex-otel/auspex/internal/detect"
)

// deriveCount judges a count of a window by the model of its series. A count of 0 is
// also judged by the number of empty windows in a row, which empty holds.
func (e *Engine) deriveCount(d *derived, t int64, count int, empty *int) *stream {
	st, fresh := e.next(d, t)
	if fresh {
		e.judgeCount(st, &st.series[0], t, count, empty, d.exemplars)
	}
	return st
}

func (e *Engine) judgeCount(st *stream, s *tracked, t int64, count int, empty *int, x exemplars) {
	p := e.predict(st, s, t, float64(count))
	if *empty++; count > 0 {
		st.gaps.Learn(float64(*empty))
		*empty = 0
	} else if gone := st.gaps.Surprise(float64(*empty+1)) - math.Ln2; gone > p.Surprise { // of two, the less likely, twice
		p.Surprise, p.Kind = gone, detect.KindLow
	}
	e.conclude(st, s, t, float64(count), p, derivedOutput, x)
	e.showDerived(st, s)
}

// deriveRatio judges a count, and the ratio of errors in it, NaN if there is
// none. The ratio is no more surprising than exact: the surprise, in nats, of so many errors, or more, by chance.
func (e *Engine) deriveRatio(d *derived, t int64, count int, empty *int, errors int, exact float64) *stream {
	st, fresh := e.next(d, t)
	if !fresh {
		return st
	}
	e.judgeCount(st, &st.series[0], t, count, empty, d.exemplars)
	if count == 0 {
		return st
	}
	s, ratio := &st.series[1], float64(errors)/float64(count)
	p := e.predict(st, s, t, ratio)
	p.Surprise = min(p.Surprise, exact)
	e.conclude(st, s, t, ratio, p, derivedOutput, d.exemplars)
	e.showDerived(st, s)
	return st
}
