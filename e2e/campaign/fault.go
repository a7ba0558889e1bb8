// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/e2e/clients"
)

// fault is a disturbance of the collector or its environment.
type fault struct {
	name   string
	befall func(ctx context.Context, s *stage) error
}

// kill runs as often as the plan requires. Other faults are drawn from a deck.
var kill = fault{"kill -9", killed}

// faults is the deck. A fault that is listed several times is drawn more often.
var faults = []fault{
	{"backend down", backendDown},
	{"backend slow", backendSlow},
	{"full disk", fullDisk},
	{"clock steps", clockSteps},
	{"damaged files", damagedFiles},
	{"memory pressure", memoryPressure},
	{"junk", junk},
	{"junk", junk},
	{"hostile request", hostileRequest},
	{"hostile request", hostileRequest},
	{"hostile request", hostileRequest},
}

// deck returns its entries in random order. It is shuffled again when all were drawn.
type deck[T any] struct {
	all, left []T
	random    *rand.Rand
}

func newDeck[T any](all []T, random *rand.Rand) *deck[T] { return &deck[T]{all: all, random: random} }

func (d *deck[T]) draw() T {
	if len(d.left) == 0 {
		d.left = slices.Clone(d.all)
		d.random.Shuffle(len(d.left), func(i, j int) { d.left[i], d.left[j] = d.left[j], d.left[i] })
	}
	drawn := d.left[len(d.left)-1]
	d.left = d.left[:len(d.left)-1]
	return drawn
}

// between returns a random duration.
func (s *stage) between(least, most time.Duration) time.Duration {
	return least + time.Duration(s.random.Int64N(int64(most-least)))
}

// killed kills the collector at a random time. Every third time it kills it again within a second of the start.
func killed(_ context.Context, s *stage) error {
	time.Sleep(s.between(0, 2*time.Second))
	s.victim.kill(memoryLimit)
	if s.random.IntN(3) == 0 {
		time.Sleep(s.between(0, time.Second))
		s.victim.kill(memoryLimit)
	}
	return nil
}

// backendDown breaks all connections to the backend and rejects new ones. Half of the time it also kills the
// collector.
func backendDown(ctx context.Context, s *stage) error {
	s.proxy.set(true, 0)
	defer s.proxy.set(false, 0)
	time.Sleep(s.between(2*time.Second, 6*time.Second))
	if s.random.IntN(2) == 0 {
		if err := killed(ctx, s); err != nil {
			return err
		}
		time.Sleep(s.between(time.Second, 3*time.Second))
	}
	return nil
}

// backendSlow delays every read between collector and backend.
func backendSlow(ctx context.Context, s *stage) error {
	s.proxy.set(false, s.between(50*time.Millisecond, time.Second))
	defer s.proxy.set(false, 0)
	time.Sleep(s.between(3*time.Second, 6*time.Second))
	if s.random.IntN(2) == 0 {
		return killed(ctx, s)
	}
	return nil
}

// fullDisk fills the disk that holds queues, dead letters, and the engine's state.
func fullDisk(_ context.Context, s *stage) error {
	if !s.victim.smallDisk {
		return nil
	}
	free, err := s.victim.fillDisk()
	if err != nil {
		return err
	}
	time.Sleep(s.between(3*time.Second, 8*time.Second))
	free()
	return nil
}

// clockSteps sets the clocks of all senders an hour ahead, then an hour back, then right.
func clockSteps(_ context.Context, s *stage) error {
	for _, step := range []time.Duration{time.Hour, -time.Hour, 0} {
		s.offset.Store(int64(step))
		time.Sleep(s.between(2*time.Second, 4*time.Second))
	}
	return nil
}

// damagedFiles damages one file of the engine or the queues while the collector is stopped. The queues are empty, so
// no acknowledged record can be in the damaged file.
func damagedFiles(_ context.Context, s *stage) error {
	s.paused.Store(true)
	defer s.paused.Store(false)
	if !s.victim.drain() {
		return nil
	}
	s.victim.end(s.victim.Stop)
	files, err := s.victim.files()
	if err != nil {
		return err
	}
	file := files[s.random.IntN(len(files))]
	if err := s.damage(file); err != nil {
		return err
	}
	s.victim.begin(memoryLimit)
	return nil
}

// damage changes a file in one of four ways.
func (s *stage) damage(file string) error {
	content, err := os.ReadFile(file)
	if err != nil || len(content) == 0 {
		return err
	}
	page := min(len(content), os.Getpagesize())
	random := make([]byte, page)
	for i := range random {
		random[i] = byte(s.random.Uint32())
	}
	switch s.random.IntN(4) {
	case 0:
		content = content[:s.random.IntN(len(content))]
	case 1:
		clear(content[:page]) // the first meta page
	case 2:
		copy(content[s.random.IntN(len(content)-page+1):], random)
	default:
		content = random
	}
	return os.WriteFile(file, content, 0o600)
}

// memoryPressure runs the collector with half its memory while 16 clients send requests of several megabytes.
func memoryPressure(ctx context.Context, s *stage) error {
	s.victim.kill(pressureLimit)
	ctx, cancel := context.WithTimeout(ctx, s.between(4*time.Second, 8*time.Second))
	defer cancel()
	const senders, records, length = 16, 2000, 1500
	b := clients.Batch{Service: "large"}
	text := strings.Repeat("a large record ", length/15)
	for range records {
		b.Logs = append(b.Logs, clients.Log{Time: time.Now(), Text: text})
	}
	done := make(chan struct{})
	for range senders {
		send := clients.New(s.t, "otlp/grpc", s.victim.junk)
		go func() {
			for ctx.Err() == nil {
				_ = send(ctx, b) // the collector may reject it
			}
			done <- struct{}{}
		}()
	}
	for range senders {
		<-done
	}
	s.victim.kill(memoryLimit)
	return nil
}

// hostileAt is a hostile request and its receiver.
type hostileAt struct {
	clients.Hostile
	receiver string
}

const (
	hostileClients    = 4
	unfinishedClients = 100
	hostilePause      = 500 * time.Millisecond
	hostileTime       = 6 * time.Second
)

// hostileRequest sends the next hostile request from several clients.
func hostileRequest(ctx context.Context, s *stage) error {
	h := s.hostile.draw()
	s.say("hostile request " + h.Name + " to " + h.receiver)
	senders, pause := hostileClients, hostilePause
	if h.Unfinished {
		senders, pause = unfinishedClients, hostileTime
	}
	return s.measure(func() error {
		stop := h.Flood(ctx, s.t, h.receiver, s.victim.at[h.receiver], senders, pause)
		time.Sleep(hostileTime)
		stop()
		return nil
	})
}
