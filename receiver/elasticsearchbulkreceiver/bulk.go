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

// Reasons for an error beside those of the codec.
const (
	reasonAnswer       = "answer"       // the client is gone, or does not read its answer
	reasonBodySize     = "body_size"    // above max_request_body_size or limits::decompressed_bytes
	reasonClient       = "client"       // limits::concurrency_per_client is reached
	reasonEncoding     = "encoding"     // the compression of the body is unknown, or its data damaged
	reasonMediaType    = "media_type"   // neither JSON nor NDJSON, or a web page says nothing of it
	reasonItem         = "item"         // the only document of the request was refused
	reasonMemory       = "memory"       // limits::memory_bytes is in use
	reasonRead         = "read"         // the connection broke
	reasonRetryable    = "retryable"    // a retryable error of the pipeline for all items
	reasonRequests     = "requests"     // limits::concurrency is reached
	reasonStalled      = "stalled"      // the client was too slow
	reasonStopping     = "stopping"     // the receiver shuts down
	reasonUnauthorized = "unauthorized" // the credentials
	reasonUnsupported  = "unsupported"  // a question that is not answered here
)

// enter admits a request that writes, or refuses it.
func (s *server) enter(w http.ResponseWriter, r *request) (*receiverutil.Ticket, bool) {
	if s.draining.Load() {
		s.refuse(w, r.Request, &refusal{http.StatusServiceUnavailable, kindBusy, "the collector shuts down", reasonStopping})
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

// limits returns those of the codec.
func (s *server) limits() esbulk.Limits {
	l := s.cfg.Limits
	return esbulk.Limits{Line: l.ItemBytes, Items: l.Items, Depth: l.Depth, Values: l.Values}
}

// body returns the decompressed body of a request, within limits of its size and the client's time.
func (s *server) body(w http.ResponseWriter, r *request, size int) io.Reader {
	plain := http.MaxBytesReader(nil, r.Body, int64(size))
	return &patientReader{r: plain, control: http.NewResponseController(w), left: s.cfg.ServerConfig.ReadTimeout}
}

// bulk serves a request to _bulk.
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

// describe says why a request could not be read to its end.
func describe(err error) *refusal {
	var fault *esbulk.Error
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &fault) && fault.Reason == esbulk.ReasonItems, errors.Is(err, receiverutil.ErrTooLarge):
		// Clients send the request again in parts.
		return &refusal{http.StatusRequestEntityTooLarge, kindTooLarge, err.Error(), string(esbulk.ReasonItems)}
	case errors.Is(err, receiverutil.ErrMemory):
		return &refusal{http.StatusTooManyRequests, kindBusy, "rejected execution: " + err.Error(), reasonMemory}
	case errors.As(err, &fault):
		return &refusal{http.StatusBadRequest, kindArgument, fault.Text, string(fault.Reason)}
	case errors.As(err, &large):
		return &refusal{http.StatusRequestEntityTooLarge, kindTooLarge, "the request has more than " + strconv.FormatInt(large.Limit, 10) + " bytes, see max_request_body_size and limits::decompressed_bytes", reasonBodySize}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &refusal{http.StatusRequestTimeout, kindArgument, "the request took too long to arrive", reasonStalled}
	case errors.Is(err, errBody):
		return &refusal{http.StatusBadRequest, kindArgument, err.Error(), reasonRead}
	}
	return &refusal{http.StatusBadRequest, kindArgument, "the body cannot be decompressed: " + err.Error(), reasonEncoding}
}

// errBody is a connection that broke.
var errBody = errors.New("the request broke off")

// patientReader reads a body within the client's time. The time between two
// reads is the pipeline's and does not count.
type patientReader struct {
	r       io.Reader
	control *http.ResponseController
	left    time.Duration
}

func (p *patientReader) Read(b []byte) (int, error) {
	begin := time.Now()
	// Not every connection has deadlines; the server's own read_timeout holds there.
	_ = p.control.SetReadDeadline(begin.Add(p.left))
	n, err := p.r.Read(b)
	p.left = max(0, p.left-time.Since(begin))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.Join(errBody, err)
	}
	return n, err
}
