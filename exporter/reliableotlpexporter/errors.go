// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"errors"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/multierr"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// reason is the attribute with the reason why records can never be sent.
type reason = metric.MeasurementOption

var (
	reasonTooLarge = metric.WithAttributes(attribute.String("reason", "too_large"))
	reasonRejected = metric.WithAttributes(attribute.String("reason", "rejected"))
)

// temporary reports whether an error has a code that OTLP treats as permanent but that does not
// concern the data. After a secret or an address is corrected, the data is accepted.
func temporary(err error) bool {
	if kafkaTemporary(err) {
		return true
	}
	switch status.Code(err) {
	case codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented, codes.NotFound:
		return true
	default:
		return false
	}
}

// rejected reports whether the next hop rejected the data permanently. The load-balancing
// exporter joins the errors of its targets. If one of them is retryable, all data is sent again.
func rejected(err error) bool {
	for _, one := range multierr.Errors(err) {
		if !consumererror.IsPermanent(one) || temporary(one) {
			return false
		}
	}
	return true
}

// httpTooLarge is a part of the error text of core's exporter for HTTP 413. The error code does
// not identify it.
const httpTooLarge = "responded with HTTP Status Code 413"

// tooLarge reports whether the next hop accepts the data in smaller requests.
func tooLarge(err error) bool {
	if !rejected(err) {
		return false
	}
	return slices.ContainsFunc(multierr.Errors(err), func(one error) bool {
		return kafkaTooLarge(one) || status.Code(one) == codes.ResourceExhausted || strings.Contains(one.Error(), httpTooLarge)
	})
}

// retryable returns the error without its permanent mark, which would make the queue delete the
// data.
func retryable(err error) error {
	if !consumererror.IsPermanent(err) {
		return err
	}
	return errors.New(err.Error())
}

// permanent marks an error as permanent.
func permanent(err error) error {
	if consumererror.IsPermanent(err) {
		return err
	}
	return consumererror.NewPermanent(err)
}
