// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/klauspost/compress/s2"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/wire/promwrite"
)

// Reasons for rejecting a whole request, in addition to those of the codec.
const (
	reasonAuth         = "auth"         // credentials are missing or wrong
	reasonBodySize     = "body_size"    // larger than max_request_body_size
	reasonBusy         = "busy"         // too many requests at once
	reasonContentType  = "content_type" // not a message of remote write
	reasonDecompressed = "decompressed" // expands to more than limits::decompressed_bytes
	reasonEncoding     = "encoding"     // not snappy
	reasonMemory       = "memory"       // limits::memory_bytes is in use, or the request needs more than half of it
	reasonMethod       = "method"       // not POST
	reasonPermanent    = "permanent"    // error of the pipeline
	reasonRetryable    = "retryable"    // error of the pipeline
	reasonSnappy       = "snappy"       // invalid snappy data
	reasonStalled      = "stalled"      // the client took too long
	reasonTruncated    = "truncated"    // the client disconnected before the end of the body
)

// retryAfter is the Retry-After value, in seconds.
const retryAfter = "1"

// snappyRatio exceeds the highest compression ratio of snappy: 64 bytes in 3.
const snappyRatio = 22

// failure states why a whole request is rejected, and the response.
type failure struct {
	status int
	reason string
	err    error
}

func (f *failure) Error() string { return f.err.Error() }

func failed(status int, reason, format string, args ...any) *failure {
	return &failure{status, reason, fmt.Errorf(format, args...)}
}

// asItIs is a decoder that leaves decompression to the receiver.
func asItIs(body io.ReadCloser) (io.ReadCloser, error) { return body, nil }

// refuseEarly responds for requests that the HTTP server rejects before the receiver gets them.
func (s *server) refuseEarly(w http.ResponseWriter, r *http.Request, message string, status int) {
	f := failed(status, reasonEncoding, "%s", message)
	switch status {
	case http.StatusUnauthorized:
		f.reason = reasonAuth
	case http.StatusBadRequest:
		f.status = http.StatusUnsupportedMediaType
		f.err = fmt.Errorf("%s, remote write supports %s only", message, encoding)
	}
	s.fail(w, r, f)
}

// write serves one request.
func (s *server) write(w http.ResponseWriter, r *http.Request) {
	version, f := negotiate(r)
	if f != nil {
		s.fail(w, r, f)
		return
	}
	ticket, err := s.admission.Enter(r.Context(), receiverutil.Client(client.FromContext(r.Context()).Addr))
	if err != nil {
		s.fail(w, r, failed(http.StatusServiceUnavailable, reasonBusy, "%w: send it again later", err))
		return
	}
	defer ticket.Leave()
	g := s.readers.Get().(*reading)
	defer func() {
		if g.small() {
			s.readers.Put(g)
		}
	}()
	g.reset()
	if f = s.read(r, version, g, ticket); f == nil {
		f = s.consume(r.Context(), g)
	}
	if f != nil {
		s.fail(w, r, f)
		return
	}
	s.confirm(w, r, g)
}

// negotiate returns the version of the message in a request.
func negotiate(r *http.Request) (promwrite.Version, *failure) {
	if r.Method != http.MethodPost {
		return 0, failed(http.StatusMethodNotAllowed, reasonMethod, "%s is not allowed, remote write uses POST", r.Method)
	}
	given := r.Header.Get("Content-Type")
	if given == "" {
		return promwrite.Version1, nil
	}
	media, params, err := mime.ParseMediaType(given)
	if err != nil || media != "application/x-protobuf" {
		return 0, failed(http.StatusUnsupportedMediaType, reasonContentType, "content type %q is not application/x-protobuf", given)
	}
	switch params["proto"] {
	case "", "prometheus.WriteRequest":
		return promwrite.Version1, nil
	case "io.prometheus.write.v2.Request":
		return promwrite.Version2, nil
	}
	return 0, failed(http.StatusUnsupportedMediaType, reasonContentType, "message %q is neither prometheus.WriteRequest nor io.prometheus.write.v2.Request", params["proto"])
}

// textCopies is the number of copies of the decompressed request in memory: the whole, and the
// strings of its series.
const textCopies = 2

// read reads, decompresses, and parses the body.
func (s *server) read(r *http.Request, v promwrite.Version, g *reading, ticket *receiverutil.Ticket) *failure {
	g.body.Reset()
	if err := ticket.ReadAll(&g.body, r.Body); err != nil {
		return s.bodyFailure(err)
	}
	size, err := s2.DecodedLen(g.body.Bytes())
	switch {
	case err != nil:
		return failed(http.StatusBadRequest, reasonSnappy, "the body is not snappy: %w", err)
	case size > s.cfg.Limits.DecompressedBytes:
		return failed(http.StatusBadRequest, reasonDecompressed, "the body expands to %d bytes, the limit is %d", size, s.cfg.Limits.DecompressedBytes)
	case size > snappyRatio*g.body.Len():
		return failed(http.StatusBadRequest, reasonSnappy, "%d bytes of snappy cannot expand to %d bytes", g.body.Len(), size)
	}
	if err = ticket.Reserve(textCopies * size); err != nil {
		return s.bodyFailure(err)
	}
	if g.plain, err = s2.Decode(g.plain[:cap(g.plain)], g.body.Bytes()); err != nil {
		return failed(http.StatusBadRequest, reasonSnappy, "the snappy data is damaged: %w", err)
	}
	err = g.reader.Read(v, g.plain, ticket, g)
	if e, ok := errors.AsType[*promwrite.Error](err); ok {
		return &failure{http.StatusBadRequest, string(e.Reason), err}
	}
	if err != nil {
		return s.bodyFailure(err)
	}
	return nil
}

// bodyFailure describes why a request could not be read completely.
func (s *server) bodyFailure(err error) *failure {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return failed(http.StatusBadRequest, reasonBodySize, "the body has more than the limit of %d bytes: see max_request_body_size", tooLarge.Limit)
	}
	if errors.Is(err, receiverutil.ErrTooLarge) {
		return failed(http.StatusBadRequest, reasonMemory, "the request needs %w: send fewer series at once", err)
	}
	if errors.Is(err, receiverutil.ErrMemory) {
		return failed(http.StatusServiceUnavailable, reasonMemory, "%w: send it again later", err)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return failed(http.StatusRequestTimeout, reasonStalled, "the body did not arrive within read_timeout, which is %v", s.cfg.Server.ReadTimeout)
	}
	return failed(http.StatusBadRequest, reasonTruncated, "the body did not arrive: %w", err)
}

// consume passes the points to the next consumer.
func (s *server) consume(ctx context.Context, g *reading) *failure {
	w := s.translator.translate(g)
	var err error
	if n := w.batch.md.DataPointCount(); n > 0 { // a request may contain only metadata, or no valid point
		ctx = s.obs.StartMetricsOp(ctx)
		err = s.next.ConsumeMetrics(ctx, w.batch.md)
		s.obs.EndMetricsOp(ctx, "prometheus_remote_write", n, err)
	}
	w.settle(err == nil)
	// Prometheus discards data that is answered with 429.
	rejection := receiverutil.Reject(err, http.StatusServiceUnavailable)
	switch {
	case rejection == nil:
		return nil
	case rejection.Status == http.StatusServiceUnavailable:
		return &failure{rejection.Status, reasonRetryable, rejection.Err}
	}
	return &failure{rejection.Status, reasonPermanent, rejection.Err}
}

// confirm responds with the number of written points.
func (s *server) confirm(w http.ResponseWriter, r *http.Request, g *reading) {
	ctx := r.Context()
	g.headers(w.Header())
	if g.unsorted > 0 {
		s.telemetry.ReceiverPrometheusRemoteWriteUnsortedSeries.Add(ctx, int64(g.unsorted))
	}
	if g.fragments > 0 {
		s.telemetry.ReceiverPrometheusRemoteWriteFragments.Add(ctx, int64(g.fragments))
	}
	if n := s.translator.droppedExemplars.Swap(0); n > 0 {
		s.telemetry.ReceiverPrometheusRemoteWriteDroppedExemplars.Add(ctx, n)
	}
	if len(g.refused) == 0 {
		s.outcome(ctx, "accepted")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	for reason, n := range g.refused {
		s.telemetry.ReceiverPrometheusRemoteWriteRefusedPoints.Add(ctx, int64(n), metric.WithAttributes(attribute.String("reason", string(reason))))
	}
	s.outcome(ctx, "partial")
	text := g.complaint()
	s.log.Warn("partial", 1, "Some points of a request were rejected and the rest accepted; fix the client's data", zap.String("client", r.RemoteAddr), zap.String("user_agent", r.UserAgent()), zap.String("reason", text))
	http.Error(w, text, http.StatusBadRequest)
}

// fail rejects a whole request.
func (s *server) fail(w http.ResponseWriter, r *http.Request, f *failure) {
	ctx := r.Context()
	outcome := "refused"
	h := w.Header()
	(&reading{}).headers(h)
	if f.status == http.StatusServiceUnavailable {
		outcome = "failed"
		h.Set("Retry-After", retryAfter)
	}
	if f.status == http.StatusMethodNotAllowed {
		h.Set("Allow", http.MethodPost)
	}
	s.outcome(ctx, outcome)
	s.telemetry.ReceiverPrometheusRemoteWriteErrors.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", f.reason)))
	s.log.Warn(f.reason, 1, "Request rejected; see the reason and check the client or the limits", zap.String("client", r.RemoteAddr), zap.String("user_agent", r.UserAgent()),
		zap.String("reason", f.reason), zap.Int("status", f.status), zap.Error(f.err))
	http.Error(w, f.Error(), f.status)
}

func (s *server) outcome(ctx context.Context, name string) {
	s.telemetry.ReceiverPrometheusRemoteWriteRequests.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", name)))
}

// headers sets the headers with the numbers of written points.
func (g *reading) headers(h http.Header) {
	for _, n := range [...]struct {
		kind  string
		count int
	}{{"Samples", g.samples}, {"Histograms", g.histograms}, {"Exemplars", g.exemplars}} {
		h.Set("X-Prometheus-Remote-Write-"+n.kind+"-Written", strconv.Itoa(n.count))
	}
}

// complaint describes the rejected points of a request.
func (g *reading) complaint() string {
	var b strings.Builder
	fmt.Fprintf(&b, "rejected %d samples, %d histograms, and %d exemplars, accepted %d, %d, and %d", g.lost.Samples, g.lost.Histograms, g.lost.Exemplars, g.samples, g.histograms, g.exemplars)
	for _, f := range g.examples {
		b.WriteString("; " + f.Error())
	}
	if n := g.faults - len(g.examples); n > 0 {
		fmt.Fprintf(&b, "; and %d more", n)
	}
	return b.String()
}
