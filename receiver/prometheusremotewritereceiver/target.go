// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"github.com/auspex-otel/auspex/internal/wire/promwrite"
)

// silence is the time in milliseconds after which a target without samples can get another
// identity. Prometheus ends a series after five minutes.
const silence = 5 * 60 * 1000

// target identifies a resource.
type target struct{ job, instance string }

// described is the remembered state of a target.
type described struct {
	labels []promwrite.Label // of target_info, as attributes of the resource
	// bare is true if samples were passed on before target_info arrived. The resource then has no
	// labels until the target has been silent, so that its series keep their identity.
	bare bool
	next []promwrite.Label // labels of a late target_info, used after the target has been silent
	seen int64             // time of a sample of the latest request, in milliseconds
}

// noteTarget takes the labels of target_info for the resource. If samples of the target have been
// passed on without them, it marks the item as late, and the series is passed on as a metric. The
// same applies to a series that is too large to remember.
func (w *writing) noteTarget(it *item) {
	if len(it.Samples) == 0 || promwrite.IsStale(it.Samples[len(it.Samples)-1].Value) {
		return // the series of the target end too, under their previous identity
	}
	k := target{it.job, it.instance}
	var list []promwrite.Label
	bytes := len(k.job) + len(k.instance)
	for _, l := range it.Labels {
		if it.isAttribute(l.Name, "") {
			list = append(list, promwrite.Label{Name: l.Name, Value: l.Value})
			bytes += len(l.Name) + len(l.Value)
		}
	}
	if bytes > mostBytes {
		it.late = true
		return
	}
	w.targets.update(k, func(d described) described {
		if it.late = d.bare && it.latest()-d.seen < silence; it.late {
			d.next = list
			return d
		}
		return described{labels: list, seen: d.seen}
	})
}

// describe returns the labels of a target that has a sample at time now, and records whether
// there were any.
func (b *batch) describe(k target, now int64) []promwrite.Label {
	return b.targets.update(target{k.job, k.instance}, func(d described) described {
		if d.bare && now-d.seen >= silence && d.next != nil {
			d = described{labels: d.next}
		}
		d.bare = d.labels == nil
		d.seen = max(d.seen, now)
		return d
	}).labels
}

// latest returns the time of the last sample or histogram of a series, in milliseconds.
func (it *item) latest() int64 {
	t := int64(0)
	if n := len(it.Samples); n > 0 {
		t = it.Samples[n-1].Time
	}
	if n := len(it.Histograms); n > 0 {
		t = max(t, it.Histograms[n-1].Time)
	}
	return t
}
