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

// Names of ECS that have a place of their own in a log record.
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

	maxUID = 512 // bytes; Elasticsearch takes no longer id
)

// resourcePrefixes are the fields that say who speaks. Numbers under them are measurements and stay with the record.
var resourcePrefixes = []string{"service.", "host.", "agent.", "cloud.", "container.", "kubernetes.", "orchestrator."}

// renamed are the fields that the semantic conventions call otherwise. README.md has them as a table; a test compares.
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

// renamedPrefixes are the same for fields whose names end as the sender likes.
var renamedPrefixes = [][2]string{
	{"container.labels.", "container.label."},
	{"kubernetes.labels.", "k8s.pod.label."},
	{"kubernetes.annotations.", "k8s.pod.annotation."},
	{"kubernetes.node.labels.", "k8s.node.label."},
	{"kubernetes.namespace_labels.", "k8s.namespace.label."},
	{ecsMetadata, metadataPrefix},
}

// severities are the levels that are known, without regard to case.
var severities = map[string]plog.SeverityNumber{
	"trace": plog.SeverityNumberTrace, "debug": plog.SeverityNumberDebug,
	"info": plog.SeverityNumberInfo, "information": plog.SeverityNumberInfo, "informational": plog.SeverityNumberInfo,
	"notice": plog.SeverityNumberInfo2,
	"warn":   plog.SeverityNumberWarn, "warning": plog.SeverityNumberWarn,
	"err": plog.SeverityNumberError, "error": plog.SeverityNumberError,
	"crit": plog.SeverityNumberFatal, "critical": plog.SeverityNumberFatal, "fatal": plog.SeverityNumberFatal, "panic": plog.SeverityNumberFatal,
	"alert": plog.SeverityNumberFatal2, "emerg": plog.SeverityNumberFatal3, "emergency": plog.SeverityNumberFatal3,
}

// translate writes an event into a log record, and returns the attributes of the
// resource that it belongs to, in the order of their names, until the next event.
func (b *Batch) translate(event Fields, id string, lr plog.LogRecord) (resource []field) {
	lr.SetTimestamp(event.timestamp())
	if message, ok := event[ecsMessage]; ok && message != nil {
		// FromRaw fails on types only that JSON does not have.
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

// timestamp takes the time of an event; 0 if it has none that can be read, and that stays.
func (f Fields) timestamp() pcommon.Timestamp {
	t, err := time.Parse(time.RFC3339Nano, f.Text(ecsTimestamp))
	if err != nil || t.Year() < 1970 || t.Year() >= 2262 {
		return 0
	}
	delete(f, ecsTimestamp)
	return pcommon.NewTimestampFromTime(t)
}

// readID takes a field that is an id in hexadecimal digits of the right number and
// of lower case, and not zero. Any other stays as it is.
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

// uidOf is the id of an event if its sender gives one: the same whenever the
// event is sent again, and another one for every other event. Path and offset are
// not enough for that: a rotated file has the same path, and a truncated one the
// same inode, with other lines at the same offsets.
func uidOf(event Fields) string {
	if uid := event.Text(vocabulary.RecordUID); uid != "" {
		return bounded(uid)
	}
	if id := event.Text(metadataID); id != "" {
		// An update of a document is an event of its own, not the one that the id stands for.
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

// bounded keeps an id, unless it is too long for one.
func bounded(id string) string {
	if len(id) > maxUID {
		return digest(id)
	}
	return id
}

// digest is 160 bits of SHA-256 over texts and their lengths, in 27 characters.
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
