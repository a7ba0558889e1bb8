// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"strings"
	"time"
)

// Pods is how many pods a service has.
const Pods = 2

const (
	// limit is how much memory a pod may use, as a multiple of what it needs.
	limit = 2
	// restarting is how long a pod is away after it was killed.
	restarting = 20 * time.Second
	// upkeepEvery is the mean time between two lines of a pod that belong to no request.
	upkeepEvery = time.Minute
	// nodes is how many nodes there are.
	nodes = 4
	// linesPerPod is how many of its own lines a new version writes per pod and interval.
	linesPerPod = 5
)

// Instance is a run of a pod's process: who a span, a line or a gauge is from.
type Instance struct {
	Service                int
	Version, Pod, ID, Node string
}

// PodActivity is what a pod shows at the end of an interval.
type PodActivity struct {
	*Instance
	// Down says that it does not run: there is nothing to read.
	Down bool
	// CPU is the utilization of its processors, from 0 to 1; Memory is in bytes.
	CPU, Memory float64
}

// pod is the state of one pod.
type pod struct {
	*Instance
	cpu, memory drift
	saturation  float64 // added to 1 as the factor on the time of its work
	leaked      float64 // bytes
	used        float64 // bytes, as of the last interval, as a multiple of what it needs
	down        int     // intervals until it runs again
	killed      bool    // in the interval before
	fresh       bool    // has not said yet that it runs
	runs        int
}

// newInstance names a run of a pod. The names look drawn and depend on what they name alone.
func newInstance(service int, svc Service, version string, k, run int) *Instance {
	hash := func(of string) string {
		h := fnv.New64a()
		_, _ = h.Write([]byte(of))
		return strconv.FormatUint(h.Sum64()|1<<63, 36)
	}
	set := hash(svc.Name + version)
	name := fmt.Sprintf("%s-%s-%s", svc.Name, set[2:11], hash(set + strconv.Itoa(k))[2:7])
	return &Instance{
		Service: service, Version: version, Pod: name,
		ID:   hash(name + strconv.Itoa(run)),
		Node: "shop-node-" + strconv.Itoa((service+k*3)%nodes+1),
	}
}

// slowness is the factor on the time of a pod's work. One whose memory runs out collects garbage all the time.
func (p *pod) slowness() float64 {
	return 1 + p.saturation + 4*max(0, p.used-.8*limit)
}

// balance chooses the pod for a request: any, but one that is not down. killed says
// that the pod was killed with the request in it.
func (s *Simulation) balance(service int) (k int, killed bool) {
	k = s.rng.IntN(Pods)
	p := &s.pods[service][k]
	if p.down == 0 {
		return k, false
	}
	if p.killed {
		return k, true
	}
	return (k + 1) % Pods, false
}

// measure reads a pod's gauges at the end of the interval, moves its state on, and kills it
// if it needs too much.
func (s *Simulation) measure(service, k int, rate float64) PodActivity {
	p, svc, e := &s.pods[service][k], &s.services[service], &s.effects[service]
	cpu := .08 + .004*rate + p.cpu.next(s.rng)
	if p.saturation > 0 {
		cpu = .99 - .04*s.rng.Float64()
	}
	memory := svc.Memory * (1 + .1*(dayFactor(s.interval.Start)-1)) * math.Exp(p.memory.next(s.rng))
	p.killed = false
	if p.down > 0 {
		p.down--
		p.fresh = p.down == 0
		return PodActivity{Instance: p.Instance, Down: true}
	}
	p.leaked += e.leak * svc.Memory * s.cadence.Minutes() * (1 + .2*float64(k))
	memory += p.leaked
	p.used = memory / svc.Memory
	a := PodActivity{Instance: p.Instance, Down: e.gone, CPU: min(1, max(.01, cpu)), Memory: memory}
	if p.used >= limit {
		s.line(p.Instance, true, strings.ReplaceAll(ended, "{mb}", strconv.Itoa(int(memory/mebibyte))))
		p.runs++
		p.Instance = newInstance(service, *svc, p.Version, k, p.runs)
		p.leaked, p.used, p.killed = 0, 1, true
		p.down = int(restarting / s.cadence)
	}
	return a
}

// noConnection is what a caller says of a service that is not there.
func noConnection(to string) string { return strings.ReplaceAll(refused, "{peer}", to) }

// line writes a line that belongs to no request, somewhere in the interval.
func (s *Simulation) line(by *Instance, failed bool, line string) {
	at := s.interval.Start.Add(time.Duration(s.ink.Float64() * float64(s.cadence)))
	took := time.Duration((5 + 40*s.ink.Float64()) * float64(time.Millisecond))
	s.lines = append(s.lines, Line{At: at, By: by, Failed: failed, Body: words(s.ink, line, took)})
}

// upkeep writes the lines that pods write by themselves.
func (s *Simulation) upkeep() {
	for i := range s.pods {
		e := &s.effects[i]
		for k := range s.pods[i] {
			p := &s.pods[i][k]
			if e.gone || p.down > 0 {
				continue
			}
			if p.fresh {
				p.fresh = false
				s.line(p.Instance, false, strings.ReplaceAll(starts, "{version}", p.Version))
			}
			if s.ink.Float64() < s.cadence.Seconds()/upkeepEvery.Seconds() {
				s.line(p.Instance, false, upkeep[s.ink.IntN(len(upkeep))])
			}
			if e.chatty {
				for range linesPerPod {
					s.line(p.Instance, false, newLine(e.said%NewLines))
					e.said++
				}
			}
		}
	}
}

// deploy puts another version into the place of a service's pods.
func (s *Simulation) deploy(service int, version string) {
	for k := range s.pods[service] {
		p := &s.pods[service][k]
		p.Instance = newInstance(service, s.services[service], version, k, 0)
		p.leaked, p.down, p.runs, p.fresh = 0, 0, 0, true
	}
}
