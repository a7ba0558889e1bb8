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

// Pods is the number of pods of a service.
const Pods = 2

const (
	// limit is the memory limit of a pod as a multiple of its normal memory.
	limit = 2
	// restarting is the time that a killed pod is down.
	restarting = 20 * time.Second
	// upkeepEvery is the mean time between two log lines of a pod that belong to no request.
	upkeepEvery = time.Minute
	// nodes is the number of nodes.
	nodes = 4
	// linesPerPod is the number of log lines that a new version writes per pod and interval, besides those of
	// requests.
	linesPerPod = 5
)

// Instance is a run of a pod's process, the resource of spans, log lines, and gauges.
type Instance struct {
	Service                int
	Version, Pod, ID, Node string
}

// PodActivity holds the gauges of a pod at the end of an interval.
type PodActivity struct {
	*Instance
	// Down reports that the pod does not run and has no gauges.
	Down bool
	// CPU is the processor utilization from 0 to 1. Memory is in bytes.
	CPU, Memory float64
}

// pod is the state of one pod.
type pod struct {
	*Instance
	cpu, memory drift
	saturation  float64 // added to 1 as the factor of its processing time
	leaked      float64 // bytes
	used        float64 // multiple of the normal memory at the last interval
	down        int     // intervals until it runs again
	killed      bool    // in the previous interval
	fresh       bool    // has not logged its start yet
	runs        int
}

// newInstance names a run of a pod. The names look random, but depend only on the arguments.
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

// slowness returns the factor of a pod's processing time. A pod that is running out of memory spends time on garbage
// collection.
func (p *pod) slowness() float64 {
	return 1 + p.saturation + 4*max(0, p.used-.8*limit)
}

// balance chooses a pod that is up for a request. killed reports that the pod was killed during the request.
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

// measure reads a pod's gauges at the end of the interval, advances its state, and kills it if it exceeds its memory
// limit.
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

// noConnection returns a caller's error for a service that does not run.
func noConnection(to string) string { return strings.ReplaceAll(refused, "{peer}", to) }

// line writes a line that belongs to no request, at a random time in the interval.
func (s *Simulation) line(by *Instance, failed bool, line string) {
	at := s.interval.Start.Add(time.Duration(s.ink.Float64() * float64(s.cadence)))
	took := time.Duration((5 + 40*s.ink.Float64()) * float64(time.Millisecond))
	s.lines = append(s.lines, Line{At: at, By: by, Failed: failed, Body: words(s.ink, line, took)})
}

// upkeep writes the lines of pods that belong to no request.
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

// deploy replaces the pods of a service with another version.
func (s *Simulation) deploy(service int, version string) {
	for k := range s.pods[service] {
		p := &s.pods[service][k]
		p.Instance = newInstance(service, s.services[service], version, k, 0)
		p.leaked, p.down, p.runs, p.fresh = 0, 0, 0, true
	}
}
