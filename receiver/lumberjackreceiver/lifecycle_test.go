// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	v2 "github.com/elastic/go-lumber/client/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"

	"github.com/auspex-otel/auspex/internal/receiverutil"
	lj "github.com/auspex-otel/auspex/internal/wire/lumberjack/lumberjacktest"
)

// certificate creates a self-signed certificate for servers and clients.
func certificate(t *testing.T) (certFile, keyFile string, pair tls.Certificate, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "auspex test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(certFile, certPEM, 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600))
	pair, err = tls.LoadX509KeyPair(certFile, keyFile)
	require.NoError(t, err)
	pool = x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(certPEM))
	return certFile, keyFile, pair, pool
}

func TestTLS(t *testing.T) {
	t.Parallel()
	certFile, keyFile, pair, pool := certificate(t)
	dial := func(r *running, cfg *tls.Config) (*v2.SyncClient, error) {
		return v2.SyncDialWith(func(network, address string) (net.Conn, error) {
			return (&tls.Dialer{Config: cfg}).DialContext(t.Context(), network, address)
		}, r.addr, v2.Timeout(patience))
	}
	server := func(clientCA string) func(*Config) {
		return func(c *Config) {
			s := configtls.NewDefaultServerConfig()
			s.CertFile, s.KeyFile, s.ClientCAFile = certFile, keyFile, clientCA
			c.TLS = configoptional.Some(s)
			c.ReadTimeout = 500 * time.Millisecond
		}
	}
	t.Run("server", func(t *testing.T) {
		next := &pipeline{}
		r := start(t, next, server(""))
		c, err := dial(r, &tls.Config{RootCAs: pool})
		require.NoError(t, err)
		defer c.Close()
		n, err := c.Send(lines(0, 100))
		require.NoError(t, err)
		assert.Equal(t, 100, n)
		assert.Equal(t, bodies(0, 100), next.accepted())

		plain := r.dial()
		plain.send(lj.Batch(said(0)))
		buf := make([]byte, 100)
		_, _ = plain.Read(buf) // TLS alert
		r.counts(1, "lumberjack_errors", reasonTLS)
		stalled := r.dial()
		r.counts(2, "lumberjack_errors", reasonTLS)
		r.says("the TLS handshake failed")
		stalled.acks("")

		_, err = c.Send(lines(0, 1))
		require.NoError(t, err, "others are served")
	})
	t.Run("mutual", func(t *testing.T) {
		next := &pipeline{}
		r := start(t, next, server(certFile))
		c, err := dial(r, &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}})
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Send(lines(0, 1))
		require.NoError(t, err)

		stranger, err := dial(r, &tls.Config{RootCAs: pool})
		if err == nil { // in TLS 1.3 the client gets the error when it reads
			defer stranger.Close()
			_, err = stranger.Send(lines(0, 1))
		}
		require.Error(t, err)
		r.counts(1, "lumberjack_errors", reasonTLS)
		assert.Len(t, next.accepted(), 1)
	})
	t.Run("no such file", func(t *testing.T) {
		r := prepare(t, &pipeline{}, func(c *Config) {
			s := configtls.NewDefaultServerConfig()
			s.CertFile, s.KeyFile = "nowhere.crt", "nowhere.key"
			c.TLS = configoptional.Some(s)
		})
		require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), "::tls: ")
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

func TestShutdownLetsTheWindowEnd(t *testing.T) {
	t.Parallel()
	certFile, keyFile, _, pool := certificate(t)
	for _, secure := range []bool{false, true} {
		open, answer := gate()
		next := &pipeline{answer: answer}
		r := start(t, next, func(c *Config) {
			if secure {
				s := configtls.NewDefaultServerConfig()
				s.CertFile, s.KeyFile = certFile, keyFile
				c.TLS = configoptional.Some(s)
			}
		})
		busy, idle := r.dial(), r.dial()
		if secure {
			busy.Conn = tls.Client(busy.Conn, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
		}
		// The second window has arrived but has not started.
		busy.send(lj.Batch(said(0), said(1)), lj.Batch(said(2)))
		require.Eventually(t, func() bool { next.mu.Lock(); defer next.mu.Unlock(); return next.calls == 1 }, patience, time.Millisecond)
		done := make(chan error)
		go func() { done <- r.Shutdown(context.Background()) }()
		idle.acks("")
		idle.Close()
		select {
		case <-done:
			t.Fatal("the window was not acknowledged in time")
		case <-time.After(50 * time.Millisecond):
		}
		open()
		busy.acks("2:2", "")
		busy.Close()
		require.NoError(t, <-done)
		assert.Equal(t, bodies(0, 2), next.accepted())
		r.counts(0, "lumberjack_errors")
		_, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.addr)
		require.Error(t, err)
	}
}

func TestShutdownWaitsForTheRestOfAWindow(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, nil)
	p := r.dial()
	p.send(lj.Window('2', 2), lj.JSON('2', 1, said(0)))
	require.Eventually(t, func() bool { return r.busy() == 1 }, patience, time.Millisecond)
	done := make(chan error)
	go func() { done <- r.Shutdown(context.Background()) }()
	time.Sleep(30 * time.Millisecond)
	p.send(lj.JSON('2', 2, said(1)))
	p.acks("2:2", "")
	p.Close()
	require.NoError(t, <-done)
}

// busy returns the number of connections with a window in progress.
func (r *running) busy() (n int) {
	r.each(func(c *connection) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.idle {
			n++
		}
	})
	return n
}

func TestShutdownIsOverInTime(t *testing.T) {
	t.Parallel()
	_, answer := gate()
	next := &pipeline{answer: answer}
	r := start(t, next, nil)
	waiting, halfway := r.dial(), r.dial()
	waiting.send(lj.Batch(said(0)))
	halfway.send(lj.Window('2', 2), lj.JSON('2', 1, said(0)))
	require.Eventually(t, func() bool { return r.busy() == 2 }, patience, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	require.NoError(t, r.Shutdown(ctx), "the pipeline returned when its context was canceled")
	assert.Less(t, time.Since(begin), receiverutil.LastGrace)
	for _, p := range []*peer{waiting, halfway} {
		require.NoError(t, p.SetReadDeadline(time.Now().Add(patience)))
		_, err := p.Read(make([]byte, 6))
		require.Error(t, err, "nothing was acknowledged")
	}
	assert.Empty(t, next.accepted())
	r.counts(0, "lumberjack_acknowledged_events")
}

// A pipeline that ignores its context cannot block the shutdown.
func TestShutdownWithADeafPipeline(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	r := start(t, &pipeline{answer: func(context.Context, int, []string) error { <-hold; return nil }}, nil)
	p := r.dial()
	p.send(lj.Batch(said(0)))
	require.Eventually(t, func() bool { return r.busy() == 1 }, patience, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, r.Shutdown(ctx), "they were not acknowledged")
	close(hold)
	r.running.Wait()
}

func TestStartTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, nil)
	second := prepare(t, &pipeline{}, func(c *Config) { c.NetAddr.Endpoint = r.addr })
	require.ErrorContains(t, second.Start(t.Context(), componenttest.NewNopHost()), "::endpoint: cannot listen on "+r.addr+", another program does")
	require.NoError(t, second.Shutdown(t.Context()))
	second = prepare(t, &pipeline{}, func(c *Config) { c.NetAddr.Endpoint = "203.0.113.1:5044" })
	require.ErrorContains(t, second.Start(t.Context(), componenttest.NewNopHost()), "set an address of this machine that is free")
}

// reporter is a host that receives the statuses of a component.
type reporter struct {
	component.Host
	events chan *componentstatus.Event
}

func (r reporter) Report(e *componentstatus.Event) { r.events <- e }

// A failed listener is a permanent error. Existing connections are still served.
func TestListenerFails(t *testing.T) {
	t.Parallel()
	r := prepare(t, &pipeline{}, nil)
	host := reporter{componenttest.NewNopHost(), make(chan *componentstatus.Event, 1)}
	require.NoError(t, r.Start(t.Context(), host))
	r.addr = r.listener.Addr().String()
	p := r.dial()
	r.counts(1, "lumberjack_connections")
	require.NoError(t, r.listener.Close())
	select {
	case e := <-host.events:
		assert.Equal(t, componentstatus.StatusPermanentError, e.Status())
	case <-time.After(patience):
		t.Fatal("the component reported no status in time")
	}
	r.says("accepts no more data")
	p.send(lj.Batch(said(0)))
	p.acks("2:1")
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Empty(t, host.events)
}

func TestShutdownWithoutStart(t *testing.T) {
	t.Parallel()
	r := prepare(t, &pipeline{}, nil)
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()))
}
