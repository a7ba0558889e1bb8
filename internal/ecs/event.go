// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ecs

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/vocabulary"
	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// ECS names with their own field in a log record.
const (
	ecsTimestamp = "@timestamp"
	ecsMessage   = "message"
	ecsLevel     = "log.level"
	ecsTraceID   = "trace.id"
	ecsSpanID    = "span.id"

	ecsMetadata    = "@metadata."
	metadataPrefix = "elastic.metadata."
	metadataID     = ecsMetadata + "_id"
	metadataOp     = ecsMetadata + "op_type"

	maxUID = 512 // bytes; the limit of an id in Elasticsearch
)

// resourcePrefixes are the fields that identify the sender. Numbers below them are measurements
// and stay with the record.
var resourcePrefixes = []string{"service.", "host.", "agent.", "cloud.", "container.", "kubernetes.", "orchestrator."}

// renamed maps fields to their names in the semantic conventions. A test compares it with the
// table in README.md.
var renamed = map[string]string{
	"service.node.name":           "service.instance.id",
	"service.environment":         "deployment.environment.name",
	"host.architecture":           "host.arch",
	"host.os.type":                "os.type",
	"host.os.name":                "os.name",
	"host.os.version":             "os.version",
	"host.os.full":                "os.description",
	"cloud.machine.type":          "host.type",
	"cloud.image.id":              "host.image.id",
	"container.image.tag":         "container.image.tags",
	"orchestrator.cluster.name":   "k8s.cluster.name",
	"kubernetes.namespace":        "k8s.namespace.name",
	"kubernetes.node.name":        "k8s.node.name",
	"kubernetes.node.uid":         "k8s.node.uid",
	"kubernetes.pod.name":         "k8s.pod.name",
	"kubernetes.pod.uid":          "k8s.pod.uid",
	"kubernetes.pod.ip":           "k8s.pod.ip",
	"kubernetes.container.name":   "k8s.container.name",
	"kubernetes.deployment.name":  "k8s.deployment.name",
	"kubernetes.replicaset.name":  "k8s.replicaset.name",
	"kubernetes.statefulset.name": "k8s.statefulset.name",
	"kubernetes.daemonset.name":   "k8s.daemonset.name",
	"kubernetes.job.name":         "k8s.job.name",
	"kubernetes.cronjob.name":     "k8s.cronjob.name",
	"error.message":               "exception.message",
	"error.type":                  "exception.type",
	"error.stack_trace":           "exception.stacktrace",
	"process.thread.id":           "thread.id",
	"process.thread.name":         "thread.name",
}

// renamedPrefixes maps prefixes of fields with arbitrary suffixes.
var renamedPrefixes = [][2]string{
	{"container.labels.", "container.label."},
	{"kubernetes.labels.", "k8s.pod.label."},
	{"kubernetes.annotations.", "k8s.pod.annotation."},
	{"kubernetes.node.labels.", "k8s.node.label."},
	{"kubernetes.namespace_labels.", "k8s.namespace.label."},
	{ecsMetadata, metadataPrefix},
}

// severities maps levels, in lower case.
var severities = map[string]plog.SeverityNumber{
	"trace": plog.SeverityNumberTrace, "debug": plog.SeverityNumberDebug,
	"info": plog.SeverityNumberInfo, "information": plog.SeverityNumberInfo, "informational": plog.SeverityNumberInfo,
	"notice": plog.SeverityNumberInfo2,
	"warn":   plog.SeverityNumberWarn, "warning": plog.SeverityNumberWarn,
	"err": plog.SeverityNumberError, "error": plog.SeverityNumberError,
	"crit": plog.SeverityNumberFatal, "critical": plog.SeverityNumberFatal, "fatal": plog.SeverityNumberFatal, "panic": plog.SeverityNumberFatal,
	"alert": plog.SeverityNumberFatal2, "emerg": plog.SeverityNumberFatal3, "emergency": plog.SeverityNumberFatal3,
}

// translate converts an event to a log record, and returns the sorted attributes of its resource,
// which are valid until the next event.
func (b *Batch) translate(event Fields, id string, lr plog.LogRecord) (resource []field) {
	lr.SetTimestamp(event.timestamp())
	if message, ok := event[ecsMessage]; ok && message != nil {
		// FromRaw fails only for types that JSON does not have.
		_ = lr.Body().FromRaw(event.take(ecsMessage))
	}
	if level := event.Text(ecsLevel); level != "" {
		lr.SetSeverityText(level)
		lr.SetSeverityNumber(severities[strings.ToLower(level)])
		delete(event, ecsLevel)
	}
	var trace pcommon.TraceID
	if readID(event, ecsTraceID, trace[:]) {
		lr.SetTraceID(trace)
	}
	var span pcommon.SpanID
	if readID(event, ecsSpanID, span[:]) {
		lr.SetSpanID(span)
	}
	resource, asIs := b.split(event)
	if len(asIs) > 0 {
		event[vocabulary.ElasticAsIs] = asIs
	}
	if id != "" {
		event[vocabulary.RecordUID] = id
	}
	_ = lr.Attributes().FromRaw(event)
	return resource
}

// timestamp removes and returns the time of an event. It returns 0 if there is no valid time; an
// invalid one is kept.
func (f Fields) timestamp() pcommon.Timestamp {
	t, err := time.Parse(time.RFC3339Nano, f.Text(ecsTimestamp))
	if err != nil || t.Year() < 1970 || t.Year() >= 2262 {
		return 0
	}
	delete(f, ecsTimestamp)
	return pcommon.NewTimestampFromTime(t)
}

// readID removes a field that is a valid id: hexadecimal digits of the right number in lower
// case, not zero. Others are kept.
func readID(event Fields, name string, id []byte) bool {
	s := event.Text(name)
	if len(s) != 2*len(id) {
		return false
	}
	if _, err := hex.Decode(id, []byte(s)); err != nil || strings.ToLower(s) != s || strings.Trim(s, "0") == "" {
		return false
	}
	delete(event, name)
	return true
}

func measures(value any) bool {
	switch v := value.(type) {
	case string, bool:
		return false
	case []any:
		for _, part := range v {
			if _, ok := part.(string); !ok {
				return true
			}
		}
		return false
	}
	return true
}

// uidOf returns the id of an event, or "" if the client provides none. It is unique and the same
// whenever the event is sent again. Path and offset are not sufficient: a rotated file has the
// same path, and a truncated one the same inode, with other lines at the same offsets.
func uidOf(event Fields) string {
	if uid := event.Text(vocabulary.RecordUID); uid != "" {
		return bounded(uid)
	}
	if id := event.Text(metadataID); id != "" {
		// An update of a document is a separate event, so the document's id does not identify it.
		if event.Text(metadataOp) == string(esbulk.Update) {
			return ""
		}
		return bounded(id)
	}
	agent, path := event.Text("agent.id"), event.Text("log.file.path")
	offset, ok := event["log.offset"].(int64)
	if agent == "" || path == "" || !ok {
		return ""
	}
	return digest(agent, path, scalar(event["log.file.device_id"]), scalar(event["log.file.inode"]), event.Text("log.file.fingerprint"),
		strconv.FormatInt(offset, 10), event.Text(ecsTimestamp), event.Text(ecsMessage))
}

// bounded returns an id, or its digest if it is too long.
func bounded(id string) string {
	if len(id) > maxUID {
		return digest(id)
	}
	return id
}

// digest returns 160 bits of SHA-256 over texts and their lengths, in 27 characters.
func digest(texts ...string) string {
	all := make([]byte, 0, 512)
	for _, t := range texts {
		all = binary.BigEndian.AppendUint64(all, uint64(len(t)))
		all = append(all, t...)
	}
	sum := sha256.Sum256(all)
	return base64.RawURLEncoding.EncodeToString(sum[:20])
}

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}
