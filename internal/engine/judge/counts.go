// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"math"

	"github.com/auspex-otel/auspex/internal/detect"
)

// DeriveCount judges a count of a window by the model of its series. A count of 0 is
// also judged by the number of empty windows in a row, which empty holds.
func (j *Judge) DeriveCount(d *Derived, t int64, count int, empty *int) Result {
	st, fresh := j.next(d, t)
	if fresh {
		j.judgeCount(st, &st.series[0], t, count, empty, d.Context)
	}
	return Result{j, st}
}

func (j *Judge) judgeCount(st *stream, s *tracked, t int64, count int, empty *int, from Context) {
	p := j.predict(st, s, t, float64(count))
	if *empty++; count > 0 {
		st.gaps.Learn(float64(*empty))
		*empty = 0
	} else if gone := st.gaps.Surprise(float64(*empty+1)) - math.Ln2; gone > p.Surprise { // of two, the less likely, twice
		p.Surprise, p.Kind = gone, detect.KindLow
	}
	j.conclude(st, s, t, float64(count), p, derivedOutput, from)
	j.showDerived(st, s)
}

// DeriveRatio judges a count, and the ratio of errors in it, NaN if there is
// none. The ratio is no more surprising than exact: the surprise, in nats, of so many errors, or more, by chance.
func (j *Judge) DeriveRatio(d *Derived, t int64, count int, empty *int, errors int, exact float64) Result {
	st, fresh := j.next(d, t)
	if !fresh {
		return Result{j, st}
	}
	j.judgeCount(st, &st.series[0], t, count, empty, d.Context)
	if count == 0 {
		return Result{j, st}
	}
	s, ratio := &st.series[1], float64(errors)/float64(count)
	p := j.predict(st, s, t, ratio)
	p.Surprise = min(p.Surprise, exact)
	j.conclude(st, s, t, ratio, p, derivedOutput, d.Context)
	j.showDerived(st, s)
	return Result{j, st}
}
