// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

// Request is the kind of an OTLP request. The zero value is an unknown kind.
type Request struct{ root *message }

// The kinds of requests.
var (
	Logs    = Request{&message{fields: fields{1: resource(logRecord)}}}
	Metrics = Request{&message{fields: fields{1: resource(metric)}}}
	Traces  = Request{&message{fields: fields{1: resource(span)}}}
)

// message describes a message type of OTLP.
type message struct {
	// cost is the size in bytes of the decoded struct and its slot in a slice, including the
	// garbage of the growing slice.
	cost int
	// nests marks a value that contains values, which the decoder decodes recursively.
	nests bool
	// fields maps field numbers to nested messages. Other fields are strings, bytes, and numbers.
	fields fields
	// numbers is the number of a repeated numeric field, or 0. bounds is another one.
	numbers, bounds int
}

type fields map[int]*message

// deprecated is the number of the deprecated field for scopes.
const deprecated = 1000

// resource returns the message with the resource and scopes of a record.
func resource(record *message) *message {
	scopes := &message{cost: 200, fields: fields{1: scope, 2: record}}
	return &message{cost: 250, fields: fields{1: res, 2: scopes, deprecated: scopes}}
}

var (
	anyValue   = &message{cost: 80, fields: fields{}}
	arrayValue = &message{cost: 64, nests: true, fields: fields{1: anyValue}}
	keyValues  = &message{cost: 64, nests: true, fields: fields{}}
	keyValue   = &message{cost: 120, fields: fields{2: anyValue}}

	entity = &message{cost: 240}
	res    = &message{fields: fields{1: keyValue, 3: entity}}
	scope  = &message{fields: fields{3: keyValue}}

	logRecord = &message{cost: 250, fields: fields{5: anyValue, 6: keyValue}}

	exemplar  = &message{cost: 300, fields: fields{7: keyValue}}
	number    = &message{cost: 180, fields: fields{5: exemplar, 7: keyValue}}
	histogram = &message{cost: 250, fields: fields{8: exemplar, 9: keyValue}, numbers: 6, bounds: 7}
	buckets   = &message{numbers: 2}
	expo      = &message{cost: 300, fields: fields{1: keyValue, 8: buckets, 9: buckets, 11: exemplar}}
	quantile  = &message{cost: 48}
	summary   = &message{cost: 180, fields: fields{6: quantile, 7: keyValue}}
	metric    = &message{cost: 250, fields: fields{
		5: points(number), 7: points(number), 9: points(histogram), 10: points(expo), 11: points(summary), 12: keyValue,
	}}

	event  = &message{cost: 120, fields: fields{3: keyValue}}
	link   = &message{cost: 140, fields: fields{4: keyValue}}
	status = &message{}
	span   = &message{cost: 320, fields: fields{9: keyValue, 11: event, 13: link, 15: status}}
)

func points(point *message) *message {
	return &message{cost: 64, fields: fields{1: point}}
}

func init() {
	// A value contains values.
	anyValue.fields[5], anyValue.fields[6] = arrayValue, keyValues
	keyValues.fields[1] = keyValue
}
