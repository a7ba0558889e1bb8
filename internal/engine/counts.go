// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/stats"
)

// deriveCount judges a count of a window: by the model of its series and, where
// there is none, by how many windows there has been none, of which empty keeps count.
func (e *Engine) deriveCount(d *derived, t int64, count int, empty *int) *stream {
	st, fresh := e.next(d, t)
	if fresh {
		e.judgeCount(st, &st.series[0], t, count, empty, d.exemplars)
	}
	return st
}

func (e *Engine) judgeCount(st *stream, s *tracked, t int64, count int, empty *int, x exemplars) {
	p := e.surprise(st, s, t, float64(count))
	if *empty++; count > 0 {
		st.gaps.Learn(float64(*empty))
		*empty = 0
	} else if gone := st.gaps.LogP(float64(*empty+1)) + math.Ln2; gone < p.LogP { // of two, the less likely, twice
		p.LogP, p.Kind = gone, detect.KindLow
	}
	e.conclude(st, s, t, float64(count), p, derivedOutput, x)
	e.showDerived(st, s)
}

// deriveRatio judges a count, and the ratio of errors in it, NaN if there is
// none. The ratio is no stranger than exact: the ln p of so many errors, or more, by chance.
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
	p := e.surprise(st, s, t, ratio)
	p.LogP = max(p.LogP, exact)
	e.conclude(st, s, t, ratio, p, derivedOutput, d.exemplars)
	e.showDerived(st, s)
	return st
}

// share is of how many of what is counted in windows were errors, forgetting.
type share struct{ Errors, All float64 }

// windowMemory is the half-life, in windows, of a share.
const windowMemory = 3000

var keepWindow = math.Exp2(-1.0 / windowMemory)

// exact is the least surprise of so many errors that few events allow, as ln p.
func (s *share) exact(errors, all int) float64 {
	return stats.BinomialLogP(errors, all, min(0.5, (s.Errors+0.5)/(s.All+1)))
}

func (s *share) learn(errors, all int) {
	s.Errors = s.Errors*keepWindow + float64(errors)
	s.All = s.All*keepWindow + float64(all)
}
