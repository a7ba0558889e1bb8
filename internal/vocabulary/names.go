// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package vocabulary

import "strings"

// Metrics: companions of a series, then gauges of a service. All are gauges
// with an empty unit: a unit of "1" would become the suffix _ratio in Prometheus.
const (
	MetricScore    = "anomaly.score"
	MetricObserved = "anomaly.observed"
	MetricExpected = "anomaly.expected"
	MetricLower    = "anomaly.lower"
	MetricUpper    = "anomaly.upper"

	MetricMaxScore = "anomaly.max_score"
	MetricOpen     = "anomaly.open"
	MetricRate     = "anomaly.rate"
	// MetricCount counts the anomalies of a service that have opened. It is monotonic.
	MetricCount = "anomaly.count"
	// MetricIncidentOpen is the number of open incidents of a service.
	// MetricIncidentDuration is the age of the oldest of them, in seconds.
	MetricIncidentOpen     = "incident.open"
	MetricIncidentDuration = "incident.duration"

	// MetricOutsideInterval is the ratio of a service's series outside their prediction interval.
	MetricOutsideInterval = "anomaly.outside_interval"

	// MetricBehavior is the surprise, in nats, of how much the behavior of a service has changed: the calls it
	// makes, its errors, and its log lines.
	MetricBehavior = "auspex.service.behavior"
	// MetricCost is the surprise, in nats, of how much more time a service takes and how many more resources its
	// instances use for the same work.
	MetricCost = "auspex.service.cost"
	// AttrBehaviorChange describes the behavior change as text.
	AttrBehaviorChange = "auspex.service.behavior.change"

	metricPrefix = "anomaly."
)

// Companions lists the gauges that accompany a series, in the order in which they are written.
var Companions = [...]string{MetricScore, MetricObserved, MetricExpected, MetricLower, MetricUpper}

// Attributes of companions, in addition to those of the series.
const (
	AttrMetric    = "anomaly.metric"
	AttrStatistic = "anomaly.statistic"
	AttrUnit      = "anomaly.unit"
)

// Statistics: the number of a metric that a series holds.
const (
	StatValue = "value"
	StatRate  = "rate"
	StatMean  = "mean"
	StatP50   = "p50"
	StatP95   = "p95"
	StatP99   = "p99"
	StatCount = "count"

	StatErrorRatio = "error_ratio"
)

// Resource attributes that Auspex reads, as in the semantic conventions.
const (
	ServiceName       = "service.name"
	ServiceNamespace  = "service.namespace"
	ServiceInstanceID = "service.instance.id"
	HostName          = "host.name"
	UnknownService    = "unknown_service"

	ServiceVersion = "service.version"
	ImageName      = "container.image.name"
	ImageTags      = "container.image.tags"
	ImageTag       = "container.image.tag" // older, and not a list
	ProcessID      = "process.pid"

	// KubernetesObject is an attribute of the resource, KubernetesReason of the record, of a
	// Kubernetes event.
	KubernetesObject = "k8s.object.name"
	KubernetesReason = "k8s.event.reason"

	// ExceptionStacktrace is an attribute of log records.
	ExceptionStacktrace = "exception.stacktrace"
)

// Events and their attributes.
const (
	EventAnomaly  = "auspex.anomaly"
	EventIncident = "auspex.incident"

	AttrAnomalyID        = "anomaly.id"
	AttrIncidentID       = "incident.id"
	AttrState            = "anomaly.state"
	AttrKind             = "anomaly.kind"
	AttrSeries           = "anomaly.series"
	AttrOpened           = "anomaly.opened"
	AttrClosed           = "anomaly.closed"
	AttrClosedBecause    = "anomaly.closed_because"
	AttrSilentSince      = "anomaly.silent_since"
	AttrSuspect          = "incident.suspect"
	AttrSuspects         = "incident.suspects"
	AttrSuspectKinds     = "incident.suspect_kinds"
	AttrUndetermined     = "incident.undetermined"
	AttrHistory          = "incident.history"
	AttrAnomalyCount     = "incident.anomalies"
	AttrIncState         = "incident.state"
	AttrIncOpened        = "incident.opened"
	AttrIncClosed        = "incident.closed"
	AttrIncClosedBecause = "incident.closed_because"
	AttrMergedInto       = "incident.merged_into"
	AttrIncServices      = "incident.services"
	AttrEvidence         = "incident.evidence"
	AttrChanges          = "incident.changes"
	AttrTraces           = "incident.trace_ids"

	AttrAnomalyTraces = "anomaly.trace_ids"
)

// Metrics derived from log records, in windows of event time.
const (
	// MetricLogRecords counts the records of a service or, with AttrTemplateID, of one template.
	// Its error ratio is the ratio of records with severity ERROR and above.
	MetricLogRecords = "auspex.log.records"
	// MetricNewTemplates counts the new templates of a service.
	MetricNewTemplates = "auspex.log.templates.new"
	// MetricLogParameter is a number in the lines of one template. AttrParameter is its position,
	// from 1.
	MetricLogParameter = "auspex.log.parameter"
)

// Metrics derived from spans, in windows of event time.
const (
	// MetricSpanCalls counts the spans of an operation. Its error ratio is the ratio of failed
	// spans.
	MetricSpanCalls = "auspex.span.calls"
	// MetricSpanDuration is the duration of spans, in seconds.
	MetricSpanDuration = "auspex.span.duration"
	// MetricSpanSelfTime is the duration of spans without that of their children, in seconds.
	MetricSpanSelfTime = "auspex.span.self_time"
	// MetricSpanNetworkTime is the time between the span of a caller and the span of its callee, in seconds.
	MetricSpanNetworkTime = "auspex.span.network_time"
)

// Attributes of series derived from spans.
const (
	AttrSpanName = "span.name"
	AttrSpanKind = "span.kind"
	// AttrPeerService and AttrPeerOperation identify the callee.
	AttrPeerService   = "peer.service"
	AttrPeerOperation = "peer.operation"
)

// Attributes of log records, and of series and events derived from them.
const (
	AttrTemplate   = "log.record.template"
	AttrTemplateID = "log.record.template.id"
	AttrExample    = "auspex.log.example"
	AttrParameter  = "auspex.log.parameter.name"
	AttrParameters = "log.record.template.parameters"
	// AttrParameterPrefix is the prefix of a named parameter, as in contrib's drain processor.
	AttrParameterPrefix = "log.record.template.parameter."
	AttrFirstSeen       = "auspex.log.template.first_seen"
	AttrReason          = "anomaly.reason"
)

// RecordUID is the log record attribute that distinguishes records with the same content. The
// client sets it, or the exporter before it first sends the record.
const RecordUID = "log.record.uid"

// Attributes that route a document to Elasticsearch. Index and pipeline have the names of
// contrib's exporter.
const (
	ElasticIndex    = "elasticsearch.index"
	ElasticPipeline = "elasticsearch.ingest_pipeline"
	// ElasticOp is the operation that the client requested for a document. index replaces the
	// document with the same id.
	ElasticOp = "elastic.metadata.op_type"
	// ElasticSchema is the scope attribute with the schema of records that were documents.
	ElasticSchema = "elastic.event.schema"
	// ElasticAsIs lists attributes of such a record that had the same name in the document.
	ElasticAsIs = "elastic.as_is"
)

// Scope is the instrumentation scope of all data from the findings receiver.
const Scope = "github.com/auspex-otel/auspex"

// OwnEvent reports whether an event name belongs to Auspex. Such records pass unobserved.
func OwnEvent(name string) bool { return name == EventAnomaly || name == EventIncident }

// OwnLogAttribute reports whether the anomaly processor writes a log record attribute.
func OwnLogAttribute(name string) bool {
	switch name {
	case AttrTemplate, AttrTemplateID, AttrParameters, AttrReason, MetricScore:
		return true
	default:
		return false
	}
}

// OwnMetric reports whether a metric belongs to Auspex. Such metrics pass unobserved.
func OwnMetric(name string) bool {
	return strings.HasPrefix(name, metricPrefix) || name == MetricIncidentOpen || name == MetricIncidentDuration
}
