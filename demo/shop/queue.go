// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import "math"

const (
	// sending is the median of the time that it takes to publish a message, in seconds.
	sending = .0015
	// settle is how long a message lies in an empty queue.
	settle = .02
)

// queue is the state of the queue between two services.
type queue struct {
	published int     // in this interval
	backlog   float64 // messages that could not be handled yet
	wait      float64 // how long a message waits for its turn, in seconds
}

// publish sends a message and returns how long that took. A message that is followed gets
// the span of its handling at once, at the time at which its turn comes.
func (s *Simulation) publish(at float64, by *Instance, t *trace, parent int) float64 {
	s.queue.published++
	took := sending * lognormal(s.rng, .3)
	if t == nil {
		return took
	}
	span := t.open(by, Producer, "send "+QueueName, at, parent, text("messaging.system", QueueSystem),
		text("messaging.destination.name", QueueName), text("messaging.operation.type", "send"))
	t.close(span, at+took, "")
	s.handle(t, span, at+took+s.queue.wait+settle*lognormal(s.ink, .3))
	return took
}

// perMessage is the mean time that a consumer spends on a message.
func (s *Simulation) perMessage() float64 {
	return handling * s.slowness[QueueConsumer] * (1 + s.effects[QueueConsumer].handling) * math.Exp(.3*.3/2)
}

// handle writes the spans and the line of a message's handling.
func (s *Simulation) handle(t *trace, parent int, at float64) {
	svc := &s.services[QueueConsumer]
	t.suffer(s.effects[QueueConsumer].handling > 0 || s.effects[QueueConsumer].database > 0)
	took := s.perMessage() * lognormal(s.ink, .3) / math.Exp(.3*.3/2)
	query := svc.Database.Time * (1 + s.effects[QueueConsumer].database) * lognormal(s.ink, .3)
	by := s.pods[QueueConsumer][s.ink.IntN(Pods)].Instance
	span := t.open(by, Consumer, "process "+QueueName, at, parent, text("messaging.system", QueueSystem),
		text("messaging.destination.name", QueueName), text("messaging.operation.type", "process"))
	s.ask(&svc.Database, t, span, at+.2*took, query)
	t.close(span, at+took+query, "")
	t.say(span, at+took+query, false, mailed[s.ink.IntN(len(mailed))])
}

// consume moves the queue on to the interval's end.
func (s *Simulation) consume() {
	q := &s.queue
	each := s.perMessage() + s.services[QueueConsumer].Database.Time*(1+s.effects[QueueConsumer].database)
	rate := consumers / each
	arrived := float64(q.published)
	q.backlog = max(0, q.backlog+arrived-rate*s.cadence.Seconds())
	q.wait = q.backlog / rate
	s.interval.Waiting = int(q.backlog) + poisson(s.rng, 2*arrived/(rate*s.cadence.Seconds())+arrived/s.cadence.Seconds()*.1)
	q.published = 0
}
