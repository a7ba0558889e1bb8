// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import "time"

// State is the state of an anomaly or an incident: open or closed.
type State string

const (
	// StateOpen is the state from opening to closing.
	StateOpen State = "open"
	// StateClosed is the state after closing.
	StateClosed State = "closed"
)

// Reason is the reason why an anomaly or an incident closed.
type Reason string

const (
	// Recovered means that the values returned to the interval that was expected before the anomaly opened.
	Recovered Reason = "recovered"
	// Accepted means that the new level became the normal one, after the acceptance time or by a user.
	Accepted Reason = "accepted"
	// Silenced means that a user silenced the series.
	Silenced Reason = "silenced"
	// SeriesGone means that the series stopped and is no longer followed.
	SeriesGone Reason = "series_gone"
	// Merged means that the incident was merged into another one.
	Merged Reason = "merged"
)

// PartyKind is the kind of a party.
type PartyKind string

// Kinds of parties. An endpoint with only a known address is of unknown kind.
const (
	Service  PartyKind = "service"
	Host     PartyKind = "host"
	Database PartyKind = "database"
	Queue    PartyKind = "queue"
	Unknown  PartyKind = "unknown"
)

// Party is a possible cause of an incident. Names of all kinds share one namespace.
type Party struct {
	Kind PartyKind `json:"kind"`
	Name string    `json:"name"`
}

// Subject identifies the series of an anomaly.
type Subject struct {
	// Series is the identity of the series: 16 hexadecimal digits.
	Series string `json:"series"`
	// Service is the service.name of the resource, or "unknown_service".
	Service string `json:"service"`
	// Metric is the name of the metric as received. Statistic is one of value, rate, mean,
	// p50, p95, and p99.
	Metric    string `json:"metric"`
	Statistic string `json:"statistic"`
	// Unit is the UCUM unit of the values, "" if the source gave none.
	Unit string `json:"unit"`
	// Attributes are the point's own attributes, as text.
	Attributes map[string]string `json:"attributes,omitempty"`
	// Group marks a series that is derived from the verdicts on others. It is evidence only if its service has no
	// other.
	Group bool `json:"group,omitempty"`
	// Host marks a series of a host's own metrics: Service is the name of the host.
	Host bool `json:"host,omitempty"`
	// Saturates is the direction, "high" or "low", in which the series shows that a resource of a host is exhausted,
	// or "".
	Saturates string `json:"saturates,omitempty"`
	// Work marks a series that counts the work of a host, such as bytes sent. An increase alone opens no incident.
	Work bool `json:"work,omitempty"`
	// Counts marks a series that counts requests or calls.
	Counts bool `json:"counts,omitempty"`
	// Peer is the callee of the client spans of the series, if it sends no telemetry of its own.
	Peer Party `json:"peer,omitzero"`
}

// Anomaly is one deviation of one series, from opening to closing. The API of the console
// returns its JSON form.
type Anomaly struct {
	// ID depends on the series and the event time of opening: 16 hexadecimal digits.
	ID string `json:"id"`
	// Incident is the id of the anomaly's incident, or "" if it has none.
	Incident string `json:"incident"`
	Subject
	State State `json:"state"`
	// Kind is the direction at the point with the greatest score: "high" or "low", or
	// "silent" if points are missing.
	Kind string `json:"kind"`
	// Opened, Updated, and Closed are event times. Closed is the zero time, and absent from JSON, while the anomaly
	// is open.
	Opened  time.Time `json:"opened"`
	Updated time.Time `json:"updated"`
	Closed  time.Time `json:"closed,omitzero"`
	// Reason is the reason why it closed.
	Reason Reason `json:"closed_because,omitempty"`
	// SilentSince is the event time of the last point before a silence, absent if there was none.
	SilentSince time.Time `json:"silent_since,omitzero"`
	// Score belongs to the latest point. MaxScore, Surprise (-ln p, in nats), Observed, Expected, Lower, and Upper
	// belong to the most surprising point.
	Score    float64 `json:"score"`
	MaxScore float64 `json:"max_score"`
	Surprise float64 `json:"surprise"`
	Observed float64 `json:"observed"`
	Expected float64 `json:"expected"`
	Lower    float64 `json:"lower"`
	Upper    float64 `json:"upper"`
	// TraceIDs are a few of the latest traces that contain the anomaly.
	TraceIDs []string `json:"trace_ids,omitempty"`
}

// Suspect is a party ranked as a likely cause, with its evidence: the most
// surprising of its own series, or of the client spans that call it.
type Suspect struct {
	// Service is the name of the party of any kind.
	Service string `json:"service"`
	Party
	// Surprise is the sum of the surprises of the service's own series that others do not explain, in nats. A greater
	// sum makes a cause more likely.
	Surprise float64 `json:"surprise"`
	// Since is the event time at which the first of its anomalies opened.
	Since time.Time `json:"since"`
	// Hops is the distance, in calls, from the service of the symptom to this one: 0 if they are the same, -1 if no path is known.
	Hops int `json:"hops"`
	// Evidence is the most surprising anomaly of the service. Also are the others that count. Without anomalies,
	// Evidence is zero and Causes give the reasons.
	Evidence Anomaly   `json:"evidence"`
	Also     []Anomaly `json:"also,omitempty"`
	// First is the series in the evidence that opened first.
	First string `json:"first"`
	// Causes lists evidence against the service in addition to its anomalies.
	Causes []Cause `json:"causes,omitempty"`
	// Changes lists the changes of the service in the preceding minutes, latest first.
	Changes []Change `json:"changes,omitempty"`
}

// Incident groups anomalies that belong together in time and in the service graph. The API
// of the console returns its JSON form.
type Incident struct {
	// ID depends on the first anomaly: 16 hexadecimal digits. Service is that of this anomaly.
	ID      string `json:"id"`
	Service string `json:"service"`
	State   State  `json:"state"`
	// MergedInto is the id of the incident into which this one was merged.
	MergedInto string `json:"merged_into,omitempty"`
	// Opened, Updated, and Closed are event times. Closed is absent from JSON while the incident is open.
	Opened  time.Time `json:"opened"`
	Updated time.Time `json:"updated"`
	Closed  time.Time `json:"closed,omitzero"`
	// Reason is the reason why it closed.
	Reason Reason `json:"closed_because,omitempty"`
	// MaxScore is the greatest score of any of its anomalies.
	MaxScore float64 `json:"max_score"`
	// Count is the number of its anomalies. Services lists their services, sorted by name.
	Count    int      `json:"count"`
	Services []string `json:"services"`
	// Symptom is the anomaly with the greatest surprise of the service that depends on the others.
	Symptom Anomaly `json:"symptom"`
	// Suspects are ranked, most likely first. Never empty.
	Suspects []Suspect `json:"suspects"`
	// Undetermined reports that the evidence does not distinguish the first suspects.
	Undetermined bool `json:"undetermined,omitempty"`
	// History lists the events of the incident, oldest first.
	History []Event `json:"history,omitempty"`
	// TraceIDs are traces that contain the incident, those of the most likely suspects first.
	TraceIDs []string `json:"trace_ids,omitempty"`
	// Anomalies are ordered by the time of opening. The list may be incomplete.
	Anomalies []Anomaly `json:"anomalies"`
}

// Event is one entry in the history of an incident.
type Event struct {
	Time time.Time `json:"time"`
	What string    `json:"what"`
}
