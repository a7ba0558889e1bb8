// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package causes

import (
	"maps"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// linkEvery is the interval, in ticks, at which the tracker gets the graph of the services.
	linkEvery = 10 * time.Second
	// maxNamespaces bounds the services whose namespace is known.
	maxNamespaces = 10_000
)

// links holds the relations of services that are passed to the incident tracker.
type links struct {
	namespaces map[string]string
	heard      map[string]heard
	linkAt     time.Time // next update of the tracker
	told       [4]uint64 // sizes of the graph at the last update
	moved      bool      // a service has another namespace
}

func (l *links) persist(c *state.Codec) {
	state.Map(c, &l.namespaces, 8, c.String, c.String)
	state.Map(c, &l.heard, 20, c.String, func(h *heard) {
		c.Int64(&h.last)
		c.Int64(&h.gap)
	})
	c.Check(len(l.namespaces) <= maxNamespaces && len(l.heard) <= maxNamespaces)
	if l.namespaces == nil {
		l.namespaces = map[string]string{}
	}
	if l.heard == nil {
		l.heard = map[string]heard{}
	}
	c.Time(&l.linkAt)
	for i := range l.told {
		c.Uint64(&l.told[i])
	}
	c.Bool(&l.moved)
}

// noteResource notes the version, image, instance and namespace of a service.
func (c *Causes) noteResource(service string, resource pcommon.Map, t int64) {
	c.hear(service, t)
	at, changes := time.Unix(0, t).UTC(), &c.judge.Tracker().Changes
	var image string
	for key, v := range resource.All() {
		switch key {
		case vocabulary.ServiceVersion:
			changes.See(service, incident.ChangeVersion, v.AsString(), at)
		case vocabulary.ServiceNamespace:
			if was, ok := c.links.namespaces[service]; ok || len(c.links.namespaces) < maxNamespaces {
				c.links.namespaces[service] = v.AsString()
				c.links.moved = c.links.moved || was != v.AsString()
			}
		case vocabulary.ImageName:
			image = v.AsString() + image
		case vocabulary.ImageTag:
			image += ":" + v.AsString()
		case vocabulary.ImageTags:
			if v.Type() == pcommon.ValueTypeSlice && v.Slice().Len() > 0 {
				image += ":" + v.Slice().At(0).AsString()
			}
		}
	}
	changes.See(service, incident.ChangeImage, image, at)
	if instance := evidence.Instance(resource); instance != "" {
		changes.See(service, incident.ChangeRestart, instance, at)
	} else if pid, ok := resource.Get(vocabulary.ProcessID); ok {
		changes.See(service, incident.ChangeRestart, "process "+pid.AsString(), at)
	}
}

// Change notes the change that a log record reports: an event of Kubernetes, or an
// event whose name states that a configuration or a deployment was changed.
func (c *Causes) Change(service string, resource pcommon.Map, lr plog.LogRecord, t int64) {
	at, changes := time.Unix(0, t).UTC(), &c.judge.Tracker().Changes
	switch name := lr.EventName(); {
	case strings.HasPrefix(name, "config."):
		changes.Happened(service, incident.ChangeConfig, series.Short(name), at)
	case strings.HasPrefix(name, "deployment."):
		changes.Happened(service, incident.ChangeDeployment, series.Short(name), at)
	}
	object, ok := resource.Get(vocabulary.KubernetesObject)
	if !ok {
		return
	}
	reason, ok := lr.Attributes().Get(vocabulary.KubernetesReason)
	if !ok {
		return
	}
	for _, name := range c.ownersOf(object.AsString()) {
		changes.Happened(name, incident.ChangeKubernetes, series.Short(reason.AsString())+" "+object.AsString(), at)
	}
}

// ownersOf are the services that a pod or a deployment belongs to, else one of its name, if there is one.
func (c *Causes) ownersOf(object string) (services []string) {
	g := c.accumulator.Graph()
	pods := append(g.Related(topology.ID{Kind: topology.Deployment, Name: object}, topology.Pod), topology.ID{Kind: topology.Pod, Name: object})
	for _, pod := range pods {
		for _, s := range g.Related(pod, topology.Service) {
			services = append(services, s.Name)
		}
	}
	if len(services) == 0 && c.judge.Knows(object) {
		services = append(services, object)
	}
	return services
}

// updateLinks forgets services that are gone, passes the graph of services to the
// tracker if it has changed, and updates the causes of young incidents.
func (c *Causes) updateLinks(now time.Time) {
	if now.Before(c.links.linkAt) {
		return
	}
	c.links.linkAt = now.Add(linkEvery)
	maps.DeleteFunc(c.links.namespaces, func(name, _ string) bool { return !c.judge.Knows(name) })
	maps.DeleteFunc(c.links.heard, func(_ string, h heard) bool { return h.last < c.reached-int64(c.ttl) })
	graph := c.accumulator.Graph()
	nodes, edges, forgotten := graph.Size()
	if now := [...]uint64{uint64(nodes), uint64(edges), forgotten, uint64(len(c.links.namespaces))}; now != c.links.told || c.links.moved {
		c.links.told, c.links.moved = now, false
		c.judge.Tracker().SetGraph(incident.NewGraph(graph.Edges(), maps.Clone(c.links.namespaces)))
	}
	c.blame()
}
