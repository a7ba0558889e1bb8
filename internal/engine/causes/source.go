// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package causes

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/engine/deed"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// source is the source of a point that is made from evidence: the self time of an
// operation, or what a service does otherwise.
type source struct {
	causes    *Causes
	operation trace.Operation
	evidence  []topology.Evidence // of a behavior change, the strongest first
}

// Describe adds what the service does otherwise, and the peer of the operation.
func (s *source) Describe(subject *incident.Subject) {
	operation := s.operation
	if len(s.evidence) > 0 {
		subject.Attributes = map[string]string{vocabulary.AttrBehaviorChange: deed.Words(subject.Service, &s.evidence[0])}
		f, ok := s.evidence[0].Detail.(trace.Finding)
		if !ok {
			return
		}
		operation = f.Operation
	}
	subject.Peer = s.causes.Peer(operation)
}

// Traces yields example traces of the operations that do something otherwise.
func (s *source) Traces(add func(pcommon.TraceID)) {
	for i := range s.evidence {
		if f, ok := s.evidence[i].Detail.(trace.Finding); ok {
			s.causes.operations.Traces(f.Operation, add)
		}
	}
}
