// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import "math"

// evidence computes the likelihood of the points of one series from its generator's parameters.
type evidence interface {
	// see reads the point of slot i and reports whether it is informative.
	see(i int, v float64) bool
	// ratio returns ln of the likelihood ratio of the point with and without a fault. With the fault the latent is
	// now σ higher here and before σ higher at the last point, and the innovations are scaled by gain.
	ratio(now, before, gain float64) float64
	// spike returns the ratio for a spike of the given number of σ.
	spike(sigmas float64) float64
	// flat returns the ratio for a repetition of the last value, given that it is equal.
	flat() float64
	// keep makes the point the last one.
	keep()
	clone() evidence
}

// impossible replaces ln 0. Its negative replaces the ratio of an event that is impossible without a fault.
const impossible = -50.0

// evidenceOf returns the likelihood of a series.
func evidenceOf(s *series) evidence {
	switch s.family.Kind {
	case "error_ratio", "counter":
		return &counting{s: s}
	case "queue":
		return &walking{s: s, spare: s.signal.(queue).spare, last: -1}
	default:
		return &autoregressive{s: s, last: -1}
	}
}

// logDensity returns the log density of an innovation without its constant.
func (s *series) logDensity(e float64) float64 {
	if s.tail == 0 {
		return -e * e / 2
	}
	return -(s.tail + 1) / 2 * math.Log1p(e*e/(s.tail-2))
}

// constant returns the constant that logDensity omits.
func (s *series) constant() float64 {
	if s.tail == 0 {
		return -math.Log(2*math.Pi) / 2
	}
	a, _ := math.Lgamma((s.tail + 1) / 2)
	b, _ := math.Lgamma(s.tail / 2)
	return a - b - math.Log(math.Pi*(s.tail-2))/2
}

// below returns the share of innovations up to e. For ν degrees of freedom it is the finite sum in θ = atan(t/√ν) for
// integer ν (Abramowitz and Stegun 26.7.3).
func (s *series) below(e float64) float64 {
	if s.tail == 0 {
		return math.Erfc(-e/math.Sqrt2) / 2
	}
	n := int(s.tail)
	sin, cos := math.Sincos(math.Atan(e / math.Sqrt(s.tail-2)))
	sum, term := 0.0, 1.0
	if n%2 == 1 {
		term = cos
	}
	for k := 2 + n%2; ; k += 2 {
		if n == 1 {
			break
		}
		sum += term
		if k > n-1 {
			break
		}
		term *= cos * cos * float64(k-1) / float64(k)
	}
	if n%2 == 1 {
		return 0.5 + (math.Atan(e/math.Sqrt(s.tail-2))+sin*sum)/math.Pi
	}
	return 0.5 + sin*sum/2
}

// autoregressive computes the likelihood of kinds with AR(1) noise. Over a gap of k slots the residual is φᵏ times
// the last one, plus an innovation with the variance (1-φ²ᵏ)/(1-φ²). The variance of rounding is added to both sides.
type autoregressive struct {
	s          *series
	i, last    int // slots of the point and of the one before, -1 for none
	v, lastV   float64
	x, lastX   float64 // residuals, in σ
	decay      float64 // φᵏ
	variance   float64 // of the innovation over the gap
	rounding   float64 // variance of rounding, in σ²
	resolution float64 // of the value, in σ; 0 without rounding
	without    float64 // ln density without a fault
	scale      float64 // of the innovation over the gap, with its logarithm
	logScale   float64
}

func (a *autoregressive) see(i int, v float64) bool {
	a.i, a.v = i, v
	z := v
	switch a.s.family.Kind {
	case "latency":
		z = math.Log(v)
	case "cache_ratio":
		z = math.Log(v / (1 - v))
	case "gauge":
		share := min(v/100, 0.9995) // values read as 100 are above it
		z = 100 * math.Atanh(share)
		a.resolution = 0.1 / (1 - share*share) / a.s.sigma
		a.rounding = a.resolution * a.resolution / 12
	}
	a.x = (z - a.s.center[i]) / a.s.sigma
	if a.last < 0 || math.IsInf(a.x, 0) {
		return false
	}
	a.decay, a.variance = a.s.phi, 1
	if k := float64(i - a.last); k > 1 {
		a.decay = math.Pow(a.s.phi, k)
		a.variance = (1 - a.decay*a.decay) / (1 - a.s.phi*a.s.phi)
	}
	a.scale = math.Sqrt(a.variance + a.rounding)
	a.logScale = math.Log(a.scale)
	a.without = a.s.logDensity((a.x-a.decay*a.lastX)/a.scale) - a.logScale
	return true
}

func (a *autoregressive) ratio(now, before, gain float64) float64 {
	scale, logScale := a.scale, a.logScale
	if gain != 1 {
		scale = math.Sqrt(gain*gain*a.variance + a.rounding)
		logScale = math.Log(scale)
	}
	e := a.x - now - a.decay*(a.lastX-before)
	return a.s.logDensity(e/scale) - logScale - a.without
}

func (a *autoregressive) spike(sigmas float64) float64 { return a.ratio(sigmas, 0, 1) }

// flat returns -ln of the probability that rounding alone repeats a value. 0 repeats where a rate cannot be lower.
func (a *autoregressive) flat() float64 {
	switch {
	case a.v != a.lastV:
		return math.Inf(-1)
	case a.resolution > 0:
		return -min(0, a.without+a.s.constant()+math.Log(a.resolution))
	case a.v == 0:
		return 0
	default:
		return -impossible
	}
}

func (a *autoregressive) keep() {
	if !math.IsInf(a.x, 0) {
		a.last, a.lastX, a.lastV = a.i, a.x, a.v
	}
}

func (a *autoregressive) clone() evidence {
	c := *a
	return &c
}

// counting computes the likelihood of counts, and of ratios with known tries.
type counting struct {
	s *series
	i int
	v float64
}

func (c *counting) see(i int, v float64) bool {
	c.i, c.v = i, v
	return c.s.count == nil || c.s.count[i] > 0
}

// mean returns the mean of a count, or the probability of a ratio, raised by the given number of σ.
func (c *counting) mean(sigmas float64) float64 {
	m := c.s.center[c.i] + sigmas*c.s.sigma
	if c.s.count != nil {
		return min(m, 1-1e-9)
	}
	if c.s.restart[c.i] {
		m /= 2
	}
	return m
}

func (c *counting) ratio(now, _, _ float64) float64 {
	was, is := c.mean(0), c.mean(now)
	if c.s.count == nil {
		return c.v*math.Log(is/was) - (is - was)
	}
	return c.s.count[c.i] * (c.v*math.Log(is/was) + (1-c.v)*math.Log((1-is)/(1-was)))
}

// spike returns the ratio for a value from the upper fifth of the distribution with the higher mean.
func (c *counting) spike(sigmas float64) float64 {
	m, v := c.mean(sigmas), c.v
	odds, p := m/(1-m), math.Exp(-m) // of a count; the odds are those of a ratio
	if c.s.count != nil {
		v = math.Round(c.v * c.s.count[c.i])
		p = math.Exp(c.s.count[c.i] * math.Log1p(-m))
	}
	under, upTo := 0.0, p
	for k := 1.0; k <= v; k++ {
		if c.s.count == nil {
			p *= m / k
		} else {
			p *= (c.s.count[c.i] - k + 1) / k * odds
		}
		under, upTo = upTo, upTo+p
	}
	share := (upTo - max(under, 0.8)) / 0.2 // of the fifth
	if !(share > 0) || !(p > 0) {
		if v > 2*m+20 { // beyond the range of the sums
			return c.ratio(sigmas, 0, 1) + math.Log(5)
		}
		return impossible
	}
	return c.ratio(sigmas, 0, 1) + math.Log(share/p)
}

func (c *counting) flat() float64 { return math.Inf(-1) }
func (c *counting) keep()         {}
func (c *counting) clone() evidence {
	d := *c
	return &d
}

// walking computes the likelihood of a queue: a random walk that is reflected at 0 and rounded.
type walking struct {
	s        *series
	spare    float64
	i, last  int
	v, lastV float64
	without  float64
}

func (w *walking) see(i int, v float64) bool {
	w.i, w.v = i, v
	if w.last != i-1 || w.last < 0 || w.s.restart[i] {
		return false
	}
	w.without = w.logLikelihood(w.lastV, v, 1)
	return true
}

// logLikelihood returns the log likelihood of a step between two lengths.
func (w *walking) logLikelihood(from, to, gain float64) float64 {
	if from < -0.5 || to < -0.5 {
		return impossible
	}
	if to < 0.5 {
		return math.Log(max(1e-20, w.s.below((w.spare+(0.5-from)/w.s.sigma)/gain)))
	}
	scale := math.Sqrt(gain*gain + 1/(6*w.s.sigma*w.s.sigma))
	return w.s.logDensity(((to-from)/w.s.sigma+w.spare)/scale) + w.s.constant() - math.Log(scale*w.s.sigma)
}

func (w *walking) ratio(now, before, gain float64) float64 {
	return w.logLikelihood(w.lastV-before*w.s.sigma, w.v-now*w.s.sigma, gain) - w.without
}

func (w *walking) spike(sigmas float64) float64 { return w.ratio(sigmas, 0, 1) }
func (w *walking) flat() float64                { return math.Inf(-1) }
func (w *walking) keep()                        { w.last, w.lastV = w.i, w.v }
func (w *walking) clone() evidence {
	c := *w
	return &c
}
