// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deed

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/causes"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/trace"
)

func TestWords(t *testing.T) {
	op := trace.Operation{Service: "shop", Name: "pay", Kind: trace.KindServer}
	finding := trace.Finding{Operation: op, Observed: .4, Expected: .06}
	call := trace.Finding{Operation: trace.Operation{Service: "shop", Name: "SELECT", Kind: trace.KindClient}, Observed: .4, Expected: .06}
	with := func(item trace.Item, up bool) trace.Finding {
		return trace.Finding{Operation: op, Item: item, Up: up, Observed: .44, Expected: .001}
	}
	mail := trace.Item{Operation: trace.Operation{Service: "mail", Name: "send"}}
	for want, ev := range map[string]topology.Evidence{
		"its calls to mail take 400 ms on the way, usually 60 ms":       {Aspect: topology.Network, Service: "shop", Callee: "mail", Detail: finding},
		"calls from mail to it take 400 ms on the way, usually 60 ms":   {Aspect: topology.Network, Service: "mail", Callee: "shop", Detail: finding},
		"its pay takes 400 ms by itself, usually 60 ms":                 {Aspect: topology.SelfTime, Detail: finding},
		"its SELECT takes 400 ms, usually 60 ms":                        {Aspect: topology.SelfTime, Detail: call},
		"its pay shows a new behavior":                                  {Aspect: topology.Behavior, Detail: finding},
		"its pay shows a changed mix of behaviors":                      {Aspect: topology.Mix, Detail: finding},
		"its pay fails in 44 % of its calls, usually 0.1 %":             {Aspect: topology.Behavior, Detail: with(trace.Item{Failed: true}, true)},
		"its pay calls send in 44 % of its calls, usually 0.1 %":        {Aspect: topology.Behavior, Detail: with(mail, true)},
		"its pay logs another line in 44 % of its calls, usually 0.1 %": {Aspect: topology.Behavior, Detail: with(trace.Item{Template: 7}, true)},
		"its pay logs a usual line in 44 % of its calls, usually 0.1 %": {Aspect: topology.Mix, Detail: with(trace.Item{Template: 7}, false)},
		"its p1 uses 2 of cpu, usually 0.5":                             {Aspect: topology.Resource, Detail: causes.Excess{Instance: "p1", Quantity: "cpu", Observed: 2, Expected: .5}},
		"it shows a changed mix of behaviors":                           {Aspect: topology.Mix, Detail: trace.Finding{Operation: trace.Operation{Service: "shop"}}},
		"it sends no telemetry":                                         {Aspect: topology.Silence, Detail: Gone{}},
		"its behavior changed":                                          {},
	} {
		assert.Equal(t, want, Words("shop", &ev))
	}
	ev := topology.Evidence{Aspect: topology.SelfTime, Detail: call}
	assert.Equal(t, "shop's SELECT takes 400 ms, usually 60 ms", Words("orders-db", &ev), "of a peer")
}
