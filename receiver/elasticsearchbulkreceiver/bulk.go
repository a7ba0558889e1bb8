// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/client"

	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// Reasons for an error, in addition to those of the codec.
const (
	reasonAnswer       = "answer"       // the client disconnected, or does not read the answer
	reasonBodySize     = "body_size"    // above max_request_body_size or limits::decompressed_bytes
	reasonClient       = "client"       // limits::concurrency_per_client is reached
	reasonEncoding     = "encoding"     // the compression of the body is unknown, or its data is damaged
	reasonMediaType    = "media_type"   // neither JSON nor NDJSON, or a browser sent it without a JSON type
	reasonItem         = "item"         // the only document of the request was rejected
	reasonMemory       = "memory"       // limits::memory_bytes is in use
	reasonRead         = "read"         // the connection broke
	reasonRetryable    = "retryable"    // a retryable error of the pipeline for all items
	reasonRequests     = "requests"     // limits::concurrency is reached
	reasonStalled      = "stalled"      // the client was too slow
	reasonStopping     = "stopping"     // the receiver shuts down
	reasonUnauthorized = "unauthorized" // the credentials are missing or wrong
	reasonUnsupported  = "unsupported"  // the API is not supported
)

// enter admits a write request, or rejects it with a response.
func (s *server) enter(w http.ResponseWriter, r *request) (*receiverutil.Ticket, bool) {
	if s.draining.Load() {
		s.refuse(w, r.Request, &refusal{http.StatusServiceUnavailable, kindBusy, "the collector is shutting down, send the request again later", reasonStopping})
		return nil, false
	}
	ticket, err := s.admission.Enter(r.Context(), receiverutil.Client(client.FromContext(r.Context()).Addr))
	if err != nil {
		reason := reasonRequests
		if errors.Is(err, receiverutil.ErrClient) {
			reason = reasonClient
		}
		s.refuse(w, r.Request, &refusal{http.StatusTooManyRequests, kindBusy, "rejected execution: " + err.Error(), reason})
		return nil, false
	}
	return ticket, true
}

// limits returns the limits of the codec.
func (s *server) limits() esbulk.Limits {
	l := s.cfg.Limits
	return esbulk.Limits{Line: l.ItemBytes, Items: l.Items, Depth: l.Depth, Values: l.Values}
}

// body returns the decompressed body of a request. It enforces the limits on size and time.
func (s *server) body(w http.ResponseWriter, r *request, size int) io.Reader {
	plain := http.MaxBytesReader(nil, r.Body, int64(size))
	return &patientReader{r: plain, control: http.NewResponseController(w), left: s.cfg.ServerConfig.ReadTimeout}
}

// bulk serves a _bulk request.
func (s *server) bulk(w http.ResponseWriter, r *request) {
	began := time.Now()
	query := r.URL.Query()
	ticket, ok := s.enter(w, r)
	if !ok {
		return
	}
	defer ticket.Leave()
	d := newDelivery(r.Context(), s, ticket)
	def := esbulk.Action{Pipeline: query.Get("pipeline")}
	if len(r.path) > 1 {
		def.Index = r.path[0]
	}
	if err := esbulk.ReadRequest(s.body(w, r, s.cfg.Limits.DecompressedBytes), s.limits(), ticket, def, d.take); err != nil {
		s.refuse(w, r.Request, describe(err))
		return
	}
	d.handOver()
	d.count()
	if e := d.whole(); e != nil {
		s.refuse(w, r.Request, e)
		return
	}
	s.send(w, r.Request, http.StatusOK, esbulk.NewAnswer(selection(r.Request)).Append(nil, time.Since(began).Milliseconds(), d.outcomes))
}

// describe returns the response for a request that could not be read completely.
func describe(err error) *refusal {
	var fault *esbulk.Error
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &fault) && fault.Reason == esbulk.ReasonItems, errors.Is(err, receiverutil.ErrTooLarge):
		// Clients split the request and send it again.
		return &refusal{http.StatusRequestEntityTooLarge, kindTooLarge, err.Error(), string(esbulk.ReasonItems)}
	case errors.Is(err, receiverutil.ErrMemory):
		return &refusal{http.StatusTooManyRequests, kindBusy, "rejected execution: " + err.Error(), reasonMemory}
	case errors.As(err, &fault):
		return &refusal{http.StatusBadRequest, kindArgument, fault.Text, string(fault.Reason)}
	case errors.As(err, &large):
		return &refusal{http.StatusRequestEntityTooLarge, kindTooLarge, "the request has more than " + strconv.FormatInt(large.Limit, 10) + " bytes, see max_request_body_size and limits::decompressed_bytes", reasonBodySize}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &refusal{http.StatusRequestTimeout, kindArgument, "the body did not arrive within read_timeout", reasonStalled}
	case errors.Is(err, errBody):
		return &refusal{http.StatusBadRequest, kindArgument, err.Error(), reasonRead}
	}
	return &refusal{http.StatusBadRequest, kindArgument, "the body cannot be decompressed: " + err.Error(), reasonEncoding}
}

// errBody states that the connection broke while the body was read.
var errBody = errors.New("the connection broke within the request")

// patientReader reads a body within read_timeout. The time between two reads, which the pipeline
// takes, does not count.
type patientReader struct {
	r       io.Reader
	control *http.ResponseController
	left    time.Duration
}

func (p *patientReader) Read(b []byte) (int, error) {
	begin := time.Now()
	// Not every connection has deadlines. In that case the server's read_timeout applies.
	_ = p.control.SetReadDeadline(begin.Add(p.left))
	n, err := p.r.Read(b)
	p.left = max(0, p.left-time.Since(begin))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.Join(errBody, err)
	}
	return n, err
}
