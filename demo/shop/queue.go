// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import "math"

const (
	// sending is the median time to publish a message, in seconds.
	sending = .0015
	// settle is the time that a message spends in an empty queue.
	settle = .02
)

// queue is the state of the queue between two services.
type queue struct {
	published int     // in the current interval
	backlog   float64 // messages not handled yet
	wait      float64 // time that a message waits, in seconds
}

// publish publishes a message and returns the duration. For a traced message it writes the span of the handling at
// once, with the time of the future handling.
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

// perMessage returns the mean handling time of a message.
func (s *Simulation) perMessage() float64 {
	return handling * s.slowness[QueueConsumer] * (1 + s.effects[QueueConsumer].handling) * math.Exp(.3*.3/2)
}

// handle writes the spans and the log line of a message's handling.
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

// consume advances the queue to the end of the interval.
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
