// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/engine/room"
	"github.com/auspex-otel/auspex/internal/series"
)

// Templates are bounded over all services, too.
func TestTemplatesAreBoundedOverAllServices(t *testing.T) {
	e := newEngine()
	e.SetMaxMemory(1 << 20)
	most := room.Memory(1 << 20).Entries()
	for i := range 4 * most {
		text := fmt.Sprintf("%s started %s", letters(i), letters(i*i+7))
		e.ObserveLogs(logBatch(line{at: 1, service: fmt.Sprint("junk", i%50), text: text}), false)
	}
	n := len(e.Templates())
	assert.Positive(t, n)
	assert.LessOrEqual(t, n, most)
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
	const most = 10_000
	for i := range most + 100 {
		e.ObserveLogs(logBatch(line{at: 400, service: fmt.Sprint("junk", i), text: "took 1 ms"}), false)
		td := ptrace.NewTraces()
		addCall(td, call{at: 400, seconds: 0.1, service: fmt.Sprint("junk", i), name: "GET /"}, uint64(1000+i))
		e.ObserveTraces(td)
	}
	assert.Len(t, e.logs.IDs(), most)
	assert.Len(t, e.spans.IDs(), most)
	assert.Contains(t, e.logs.IDs(), series.Text("cart"))
	assert.Contains(t, e.spans.IDs(), series.Text("cart"))
}
