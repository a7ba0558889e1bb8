// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/engine/room"
)

// Operations that are called once, as a URL in the name makes them, are bounded over all services. What is called often stays.
func TestOperationsAreBoundedOverAllServices(t *testing.T) {
	e := newEngine()
	e.SetMaxMemory(1 << 20)
	most := room.Memory(1 << 20).Entries()
	id := 0
	send := func(second float64, service, name string) {
		td := ptrace.NewTraces()
		id++
		addCall(td, call{at: second, seconds: 0.1, service: service, name: name}, uint64(id))
		e.ObserveTraces(td)
	}
	total := func() (n int) {
		for _, s := range e.spans.All() {
			n += len(s.operations)
		}
		return n
	}
	for second := range 300 {
		e.Tick(at(float64(second)))
		send(float64(second), "cart", "GET /")
	}
	for i := range 20 * most {
		send(300, fmt.Sprint("junk", i%50), fmt.Sprint("GET /", i))
	}
	assert.Equal(t, most, total())
	e.Tick(at(301))
	assert.Zero(t, e.operations)
	for second := 360; second < 3600+900; second += 5 {
		e.Tick(at(float64(second)))
		send(float64(second), "cart", "GET /")
		send(float64(second), "junk0", "GET /")
		send(float64(second), "junk1", "GET /")
	}
	require.NotNil(t, e.spansOf("cart").operations[operationKey{"GET /", ptrace.SpanKindServer}])
	assert.NotNil(t, e.spansOf("junk1").operations[operationKey{"GET /", ptrace.SpanKindServer}], "room comes back")
}

// Templates are bounded over all services, too.
func TestTemplatesAreBoundedOverAllServices(t *testing.T) {
	e := newEngine()
	e.SetMaxMemory(1 << 20)
	most := room.Memory(1 << 20).Entries()
	for i := range 4 * most {
		text := fmt.Sprintf("%s started %s", letters(i), letters(i*i+7))
		e.ObserveLogs(logBatch(line{at: 1, service: fmt.Sprint("junk", i%50), text: text}), false)
	}
	n := 0
	for _, l := range e.logs.All() {
		n += len(l.Templates)
	}
	assert.LessOrEqual(t, n, most)
	e.Tick(at(2))
	assert.Equal(t, most-n, e.templates)
}

// letters is a word that is no number.
func letters(i int) string {
	word := []byte("x")
	for ; i > 0; i /= 26 {
		word = append(word, byte('a'+i%26))
	}
	return string(word)
}

// Services that say one thing take the place of no service that has said much.
func TestServicesThatSayLittleEvictNone(t *testing.T) {
	e := newEngine()
	for second := range 400 {
		e.Tick(at(float64(second)))
		e.ObserveLogs(logBatch(line{at: float64(second), service: "cart", text: "took 1 ms"}), false)
		td := ptrace.NewTraces()
		addCall(td, call{at: float64(second), seconds: 0.1, service: "cart", name: "GET /"}, uint64(second))
		e.ObserveTraces(td)
	}
	for i := range maxLogServices + 100 {
		e.ObserveLogs(logBatch(line{at: 400, service: fmt.Sprint("junk", i), text: "took 1 ms"}), false)
		td := ptrace.NewTraces()
		addCall(td, call{at: 400, seconds: 0.1, service: fmt.Sprint("junk", i), name: "GET /"}, uint64(1000+i))
		e.ObserveTraces(td)
	}
	assert.Equal(t, maxLogServices, e.logs.Len())
	assert.Equal(t, maxSpanServices, e.spans.Len())
	l, _ := e.logs.Peek(serviceID("cart"))
	s, _ := e.spans.Peek(serviceID("cart"))
	assert.NotNil(t, l)
	assert.NotNil(t, s)
}
