// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package warmup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/auspex-otel/auspex/internal/mask"
)

const (
	// attempts bounds the tries of a request. retryAfter is the first pause between two tries,
	// which doubles.
	attempts   = 4
	retryAfter = 250 * time.Millisecond
	// maxListBytes and maxQueryBytes bound the bytes read of an answer, and so the memory.
	maxListBytes  = 256 << 20
	maxQueryBytes = 64 << 20
	maxErrorBytes = 4 << 10
)

// errTooMuch states that an answer is, or would be, too large or too slow. The caller requests
// less.
var errTooMuch = errors.New("too much data for one request")

// client queries a Prometheus.
type client struct {
	http     *http.Client
	endpoint *url.URL
	pace     pace
	requests atomic.Int64
}

// pace spaces requests evenly.
type pace struct {
	mu       sync.Mutex
	interval time.Duration
	next     time.Time
}

// wait blocks until a request is permitted. It returns the error of the context.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now()
	at := now
	if p.next.After(now) {
		at = p.next
	}
	p.next = at.Add(p.interval)
	p.mu.Unlock()
	return sleep(ctx, at.Sub(now))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// list returns the labels of every series with samples in a time range.
func (c *client) list(ctx context.Context, selectors []string, from, to time.Time) (list []map[string]string, err error) {
	form := url.Values{"match[]": selectors, "start": {stamp(from)}, "end": {stamp(to)}}
	err = c.post(ctx, "/api/v1/series", form, maxListBytes, func(body io.Reader) error {
		list = list[:0]
		return decode(body, func(d *json.Decoder) error {
			var labels map[string]string
			if err := d.Decode(&labels); err != nil {
				return err
			}
			list = append(list, labels)
			return nil
		})
	})
	if errors.Is(err, errTooMuch) {
		err = fmt.Errorf("%w: the list of series is longer than %d MiB: narrow match", err, maxListBytes>>20)
	}
	return list, err
}

// samples returns the raw samples of the series in a time range without its start.
func (c *client) samples(ctx context.Context, selector string, from, to time.Time) (list []rawSeries, err error) {
	form := url.Values{
		"query": {selector + "[" + strconv.FormatInt(to.Sub(from).Milliseconds(), 10) + "ms]"}, "time": {stamp(to)},
	}
	err = c.post(ctx, "/api/v1/query", form, maxQueryBytes, func(body io.Reader) error {
		list = list[:0]
		return decode(body, func(d *json.Decoder) error {
			var s rawSeries
			if err := d.Decode(&s); err != nil {
				return err
			}
			list = append(list, s)
			return nil
		})
	})
	return list, err
}

func stamp(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}

// post repeats a request until it succeeds or fails finally, and reads the answer with read,
// which may be called several times.
func (c *client) post(ctx context.Context, path string, form url.Values, limit int64, read func(io.Reader) error) error {
	pause := retryAfter
	for attempt := 1; ; attempt++ {
		if err := c.pace.wait(ctx); err != nil {
			return err
		}
		again, err := c.once(ctx, path, form, limit, read)
		if err == nil || !again || attempt == attempts || ctx.Err() != nil {
			return err
		}
		if errSleep := sleep(ctx, pause); errSleep != nil {
			return errors.Join(err, errSleep)
		}
		pause *= 2
	}
}

// once sends a request, and reports whether a failed one may be repeated.
func (c *client) once(ctx context.Context, path string, form url.Values, limit int64, read func(io.Reader) error) (again bool, err error) {
	u := c.endpoint.JoinPath(path)
	c.requests.Add(1)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.http.Do(req)
	if err != nil {
		return !isTimeout(err), tooMuchIf(isTimeout(err) && ctx.Err() == nil, mask.Error(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return refusal(u, res)
	}
	body := &bounded{r: res.Body, left: limit}
	if err := read(body); err != nil {
		if body.left < 0 {
			return false, fmt.Errorf("%w: the answer of %s exceeds %d MiB", errTooMuch, mask.Addresses(u.String()), limit>>20)
		}
		return !isTimeout(err), tooMuchIf(isTimeout(err) && ctx.Err() == nil, fmt.Errorf("answer of %s: %w", mask.Addresses(u.String()), err))
	}
	return false, nil
}

// refusal returns an error for an unsuccessful response. Prometheus returns 422 for a query of
// too many samples, and 503 for one that took too long.
func refusal(u *url.URL, res *http.Response) (again bool, err error) {
	text, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBytes))
	err = fmt.Errorf("%s answered %s: %s", mask.Addresses(u.String()), res.Status, strings.TrimSpace(string(text)))
	slow := res.StatusCode == http.StatusServiceUnavailable && strings.Contains(string(text), `"errorType":"timeout"`)
	if res.StatusCode == http.StatusUnprocessableEntity || slow {
		return false, tooMuchIf(true, err)
	}
	return res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests, err
}

func tooMuchIf(is bool, err error) error {
	if is {
		return fmt.Errorf("%w: %w", errTooMuch, err)
	}
	return err
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

// bounded reads up to a number of bytes and then fails, with left below 0.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooMuch
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooMuch
	}
	return n, err
}
