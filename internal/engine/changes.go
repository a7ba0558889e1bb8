// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"maps"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// noteEvery is the interval at which the attributes of a resource are read for changes, in nanoseconds of event time. A resource with another version is another resource.
	noteEvery = int64(10 * time.Second)
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

// noteChanges reads the changes that the attributes of a resource show, once in noteEvery.
func (e *Engine) noteChanges(res *resource, t int64) {
	if t >= res.noted && t < res.noted+noteEvery {
		return
	}
	res.noted = t
	e.place(res.service.name, res.attributes, t)
}

// noteResource notes the version, image, instance and namespace of a service.
func (e *Engine) noteResource(service string, resource pcommon.Map, t int64) {
	e.hear(service, t)
	at, c := time.Unix(0, t).UTC(), &e.tracker.Changes
	var image string
	for key, v := range resource.All() {
		switch key {
		case vocabulary.ServiceVersion:
			c.See(service, incident.ChangeVersion, v.AsString(), at)
		case vocabulary.ServiceNamespace:
			if was, ok := e.links.namespaces[service]; ok || len(e.links.namespaces) < maxNamespaces {
				e.links.namespaces[service] = v.AsString()
				e.links.moved = e.links.moved || was != v.AsString()
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
	c.See(service, incident.ChangeImage, image, at)
	if instance := evidence.Instance(resource); instance != "" {
		c.See(service, incident.ChangeRestart, instance, at)
	} else if pid, ok := resource.Get(vocabulary.ProcessID); ok {
		c.See(service, incident.ChangeRestart, "process "+pid.AsString(), at)
	}
}

// noteRestart records a restart if a counter began again after its last point, given the start and the time of that point.
func (e *Engine) noteRestart(st *stream, start, last int64) {
	if !st.meter.Delta && start > 0 && st.meter.Start > last {
		e.tracker.Changes.Happened(st.resource.service.name, incident.ChangeRestart, "", time.Unix(0, st.meter.Start).UTC())
	}
}

// noteRecord notes the change that a log record reports: an event of Kubernetes, or an
// event whose name states that a configuration or a deployment was changed.
func (e *Engine) noteRecord(service string, resource pcommon.Map, lr plog.LogRecord, t int64) {
	at, c := time.Unix(0, t).UTC(), &e.tracker.Changes
	switch name := lr.EventName(); {
	case strings.HasPrefix(name, "config."):
		c.Happened(service, incident.ChangeConfig, series.Short(name), at)
	case strings.HasPrefix(name, "deployment."):
		c.Happened(service, incident.ChangeDeployment, series.Short(name), at)
	}
	object, ok := resource.Get(vocabulary.KubernetesObject)
	if !ok {
		return
	}
	reason, ok := lr.Attributes().Get(vocabulary.KubernetesReason)
	if !ok {
		return
	}
	for _, name := range e.ownersOf(object.AsString()) {
		c.Happened(name, incident.ChangeKubernetes, series.Short(reason.AsString())+" "+object.AsString(), at)
	}
}

// ownersOf are the services that a pod or a deployment belongs to, else one of its name, if there is one.
func (e *Engine) ownersOf(object string) (services []string) {
	g := e.causality.causes.Graph()
	pods := append(g.Related(topology.ID{Kind: topology.Deployment, Name: object}, topology.Pod), topology.ID{Kind: topology.Pod, Name: object})
	for _, pod := range pods {
		for _, s := range g.Related(pod, topology.Service) {
			services = append(services, s.Name)
		}
	}
	if len(services) == 0 && e.services[object] != nil {
		services = append(services, object)
	}
	return services
}

// updateLinks forgets services that are gone, passes the graph of services to the
// tracker if it has changed, and updates the causes of young incidents.
func (e *Engine) updateLinks(now time.Time) {
	if now.Before(e.links.linkAt) {
		return
	}
	e.links.linkAt = now.Add(linkEvery)
	maps.DeleteFunc(e.links.namespaces, func(name, _ string) bool { return e.services[name] == nil })
	maps.DeleteFunc(e.links.heard, func(_ string, h heard) bool { return h.last < e.causality.reached-int64(e.cfg.SeriesTTL) })
	graph := e.causality.causes.Graph()
	nodes, edges, forgotten := graph.Size()
	if now := [...]uint64{uint64(nodes), uint64(edges), forgotten, uint64(len(e.links.namespaces))}; now != e.links.told || e.links.moved {
		e.links.told, e.links.moved = now, false
		e.tracker.SetGraph(incident.NewGraph(graph.Edges(), maps.Clone(e.links.namespaces)))
	}
	e.blame()
}
