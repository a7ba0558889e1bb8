// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/vocabulary"
	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// Attributes that route a document and are not stored with the others.
const (
	attrIndex     = vocabulary.ElasticIndex
	attrID        = "elasticsearch.document_id"
	attrPipeline  = vocabulary.ElasticPipeline
	attrMode      = "elastic.mapping.mode"
	attrDataset   = "data_stream.dataset"
	attrNamespace = "data_stream.namespace"
	attrType      = "data_stream.type"
	attrFormat    = "encoding.format"
)

func steers(key string) bool {
	switch key {
	case attrIndex, attrID, attrPipeline, attrMode, attrDataset, attrNamespace, attrType:
		return true
	}
	return false
}

// route is the target of a document: a data stream by its three parts, or an index by name.
type route struct {
	kind, dataset, namespace string
	index                    string
}

// madeBy matches the receiver or connector in the name of an instrumentation scope.
var madeBy = regexp.MustCompile(`/(?:receiver|connector)/(\w*(?:receiver|connector))`)

// routeOf returns the target of a record. static is the configured index, or "". dataset is the
// dataset implied by the kind of record, or "".
func (s *scope) routeOf(record pcommon.Map, kind, static, dataset string) route {
	if static != "" {
		return route{index: static}
	}
	if index := s.steering(record, attrIndex); index != "" {
		return route{index: index}
	}
	r := route{kind: kind, dataset: s.steering(record, attrDataset), namespace: s.steering(record, attrNamespace)}
	if r.dataset == "" {
		r.dataset = dataset
	}
	if r.dataset == "" {
		r.dataset = s.dataset
	}
	if r.namespace == "" {
		r.namespace = "default"
	}
	r.dataset, r.namespace = clean(r.dataset, true), clean(r.namespace, false)
	if s.mode == OTel && !strings.HasSuffix(r.dataset, ".otel") {
		r.dataset += ".otel"
	}
	return r
}

// steering returns an attribute of the record, else of the scope, else of the resource.
func (s *scope) steering(record pcommon.Map, key string) string {
	for _, m := range [...]pcommon.Map{record, s.attributes, s.resource} {
		if v, ok := m.Get(key); ok && v.AsString() != "" {
			return v.AsString()
		}
	}
	return ""
}

// datasetOf returns the default dataset of the records of a scope.
func datasetOf(s pcommon.InstrumentationScope) string {
	if v, ok := s.Attributes().Get(attrFormat); ok && v.Type() == pcommon.ValueTypeStr && v.Str() != "" {
		return v.Str()
	}
	if m := madeBy.FindStringSubmatch(s.Name()); m != nil {
		return m[1]
	}
	return "generic"
}

// clean replaces characters that are invalid in the name of a data stream, and cuts it to 100
// bytes.
func clean(part string, dataset bool) string {
	part = strings.Map(func(r rune) rune {
		if strings.ContainsRune("\\/*?\"<>| ,#:", r) || (dataset && r == '-') {
			return '_'
		}
		return r
	}, strings.ToLower(strings.ToValidUTF8(part, "_")))
	const most = 100 - len(".otel")
	if len(part) > most {
		part = strings.ToValidUTF8(part[:most], "")
	}
	return part
}

// action returns the bulk action of a telemetry document with this route.
func (r route) action(id, pipeline string) esbulk.Action {
	a := esbulk.Action{Op: esbulk.Create, Index: r.index, ID: id, Pipeline: pipeline}
	if r.index == "" {
		a.Index, a.DataStream = r.kind+"-"+r.dataset+"-"+r.namespace, true
	}
	return a
}

// write adds the parts of the data stream to a document.
func (r route) write(w *writer) {
	if r.index != "" {
		return
	}
	w.object("data_stream")
	w.text("type", r.kind)
	w.text("dataset", r.dataset)
	w.text("namespace", r.namespace)
	w.close('}')
}
