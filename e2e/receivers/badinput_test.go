// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	badWait    = 5 * time.Second  // for a response, or for the receiver to close the connection
	unreadWait = 40 * time.Second // for the receiver to close the connection of a client that does not read
	badMemory  = 300              // maximum MiB of the collector
)

// badInput is one kind of invalid client behavior.
type badInput struct {
	receiver, what string
	sends          []byte
	hangsUp        bool // then the client closes its side
	dribbles       bool // the client sends a byte now and then
	unread         bool // the client sends continuously and does not read
	gets           string
	counts         string // a counter and its reason, "" for none
}

// TestBadInput sends invalid input to every receiver of the built collector, and prints the response and the
// counters. The same receiver must serve a valid client during each case.
func TestBadInput(t *testing.T) {
	if testing.Short() {
		t.Skip("stalling clients take a minute")
	}
	if runtime.GOOS != "linux" {
		t.Skip("peak memory is read from /proc, which only Linux has")
	}
	d := startBareReceivers(t, "bare_small.yaml")
	good := d.goodClients(t)
	table := columns("receiver\t| sent\t| the sender got\t| counted\t| others served", func(line func(cells ...any)) {
		for _, c := range d.badInputs(t) {
			t.Run(c.receiver+"/"+c.what, func(t *testing.T) {
				before := d.reasons(t)
				served := make(chan error, 1)
				time.AfterFunc(100*time.Millisecond, func() { served <- good[c.receiver]() })
				got := d.misbehave(t, c)
				err := <-served
				counted := d.countedSince(t, before, c.counts)
				assert.Contains(t, got, c.gets)
				assert.Contains(t, counted, c.counts)
				assert.NoError(t, err, "another client is served")
				line(c.receiver, c.what, got, counted, err == nil)
			})
		}
	})
	bytes, err := d.PeakMemory()
	require.NoError(t, err)
	most := bytes >> 20
	show(t, fmt.Sprintf("bad input; peak memory of the collector: %d MiB", most), table)
	assert.Less(t, most, badMemory)
}

// address returns the address of a receiver.
func (d *bareReceivers) address(receiver string) string {
	return map[string]string{"OTLP": d.otlp, "lumberjack": d.lumberjack, "_bulk": d.bulk, "remote write": d.remoteWrite}[receiver]
}

// misbehave sends the input and returns the response of the receiver.
func (d *bareReceivers) misbehave(t *testing.T, c badInput) string {
	t.Helper()
	dialer := net.Dialer{Timeout: badWait}
	if c.unread {
		dialer.Control = func(_, _ string, raw syscall.RawConn) error {
			return raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1024) })
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), unreadWait)
	defer cancel()
	conn, err := dialer.DialContext(ctx, "tcp", d.address(c.receiver))
	require.NoError(t, err)
	defer conn.Close()
	began := time.Now()
	if c.unread {
		require.NoError(t, conn.SetWriteDeadline(began.Add(unreadWait)))
		for err == nil {
			_, err = conn.Write(c.sends)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return "nothing: it may stay"
		}
		return fmt.Sprintf("closed after %.0f s", time.Since(began).Seconds())
	}
	_, err = conn.Write(c.sends)
	require.NoError(t, err)
	if c.hangsUp {
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	}
	if c.dribbles {
		go func() {
			for err := error(nil); err == nil; time.Sleep(100 * time.Millisecond) {
				_, err = conn.Write([]byte(" "))
			}
		}()
	}
	require.NoError(t, conn.SetReadDeadline(began.Add(badWait)))
	if c.receiver == "lumberjack" {
		return acksOf(conn) + after(began)
	}
	return answerOf(conn) + after(began)
}

// after returns the elapsed time as text if it was long, otherwise "".
func after(began time.Time) string {
	if took := time.Since(began); took > 900*time.Millisecond {
		return fmt.Sprintf(" after %.0f s", took.Seconds())
	}
	return ""
}

// acksOf reads acknowledgements until the receiver closes the connection.
func acksOf(conn net.Conn) string {
	last := "no acknowledgement"
	for ack := make([]byte, 6); ; {
		switch _, err := io.ReadFull(conn, ack); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return last + ", open"
		case err != nil:
			return last + ", closed"
		}
		last = fmt.Sprintf("acknowledgement of %d", uint32(ack[2])<<24|uint32(ack[3])<<16|uint32(ack[4])<<8|uint32(ack[5]))
		_ = conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)) // No more are expected.
	}
}

var (
	statusOfItem  = regexp.MustCompile(`"status":(\d+)`)
	reasonOfError = regexp.MustCompile(`"reason":"([^"]*)"`)
)

// answerOf reads an HTTP response. It returns the status, the statuses of items, and the beginning of the text.
func answerOf(conn net.Conn) string {
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "no answer"
	}
	if err != nil {
		return "closed"
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	said := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(body))
	if res.StatusCode == http.StatusOK && strings.Contains(said, `"items"`) {
		var statuses []string
		for _, m := range statusOfItem.FindAllStringSubmatch(said, -1) {
			statuses = append(statuses, m[1])
		}
		return "200, items " + strings.Join(statuses, " ")
	}
	if m := reasonOfError.FindStringSubmatch(said); m != nil {
		said = m[1]
	}
	if written := res.Header.Get("X-Prometheus-Remote-Write-Samples-Written"); written != "" {
		said = "written " + written + " " + said
	}
	return fmt.Sprintf("%d %s", res.StatusCode, said[:min(len(said), 90)])
}

var reasonLine = regexp.MustCompile(`(?m)^otelcol_receiver_(\w+?)(?:_total)?\{.*reason="(\w+)".*\} (\S+)$`)

// reasons returns the receivers' counters that have a reason.
func (d *bareReceivers) reasons(t *testing.T) map[string]float64 {
	t.Helper()
	res, err := http.Get("http://" + d.Metrics + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	all := map[string]float64{}
	for _, m := range reasonLine.FindAllStringSubmatch(string(text), -1) {
		v, err := strconv.ParseFloat(m[3], 64)
		require.NoError(t, err)
		all[m[1]+" "+m[2]] += v
	}
	return all
}

// countedSince waits until the expected counter has increased, if there is one.
func (d *bareReceivers) countedSince(t *testing.T, before map[string]float64, want string) (counted string) {
	t.Helper()
	for range 50 {
		var more []string
		for name, v := range d.reasons(t) {
			if v > before[name] {
				more = append(more, fmt.Sprintf("%s +%.0f", name, v-before[name]))
			}
		}
		counted = strings.Join(more, ", ")
		if want == "" || strings.Contains(counted, want) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return counted
}
