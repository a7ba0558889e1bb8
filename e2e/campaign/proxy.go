// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"sync"
	"time"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// proxy forwards connections between the collector and its backend. It can reject connections, or delay the data.
type proxy struct {
	address string
	to      string

	mu    sync.Mutex
	down  bool
	delay time.Duration // of each read
	open  map[net.Conn]bool
}

// startProxy forwards connections to an address until t ends.
func startProxy(t peertest.TB, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at the end
	if err != nil {
		t.Fatalf("proxy: %v", err)
	}
	p := &proxy{address: l.Addr().String(), to: to, open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = l.Close()
		p.set(true, 0)
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// set changes the state of the proxy. A proxy that goes down closes its connections.
func (p *proxy) set(down bool, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down, p.delay = down, delay
	if down {
		for conn := range p.open {
			_ = conn.Close()
		}
	}
}

func (p *proxy) serve(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", p.to) //nolint:noctx // ended by closing it
	if err != nil {
		return
	}
	defer to.Close()
	if !p.admit(from, to) {
		return
	}
	defer p.leave(from, to)
	answers := make(chan struct{})
	go func() {
		p.pass(from, to)
		close(answers)
	}()
	p.pass(to, from)
	<-answers
}

func (p *proxy) admit(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if !p.down {
			p.open[c] = true
		}
	}
	return !p.down
}

func (p *proxy) leave(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.open, c)
	}
}

// pass copies in one direction and closes both connections at the end.
func (p *proxy) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	piece := make([]byte, 64<<10)
	for {
		n, err := from.Read(piece)
		p.mu.Lock()
		delay := p.delay
		p.mu.Unlock()
		time.Sleep(delay)
		if _, failed := to.Write(piece[:n]); failed != nil || err != nil {
			return
		}
	}
}
