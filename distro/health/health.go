// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package health implements "otelcol-auspex health", which asks a running collector
// for its state. Containers and service managers without an HTTP client use it as a probe.
package health

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// defaultAddress is the address of the health_check extension in the shipped configurations.
	defaultAddress = "127.0.0.1:13133"
	// addressVariable is the environment variable that changes that address.
	addressVariable = "AUSPEX_HEALTH"
	// timeout bounds one probe; Kubernetes waits for one second by default.
	timeout = time.Second
)

// Exit codes of Run.
const (
	healthy   = 0
	unhealthy = 1
	usage     = 2
)

// Run sends one request to the health_check extension and returns the exit code of the
// process: 0 if the collector is ready, 1 if it is not or does not answer, 2 if the
// arguments are wrong. It writes one line to out or errs.
func Run(args []string, getenv func(string) string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("otelcol-auspex health", flag.ContinueOnError)
	flags.SetOutput(errs)
	address := flags.String("address", cmp.Or(getenv(addressVariable), defaultAddress), "host:port of the health_check extension; "+addressVariable+" sets the default")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return healthy
	case err != nil:
		return usage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(errs, "unexpected argument %q; see otelcol-auspex health --help\n", flags.Arg(0))
		return usage
	}
	url, err := probeURL(*address)
	if err != nil {
		fmt.Fprintf(errs, "--address %s: %v; use host:port\n", *address, err)
		return usage
	}
	if err := probe(url); err != nil {
		fmt.Fprintf(errs, "not ready: %v\n", err)
		return unhealthy
	}
	fmt.Fprintln(out, "ready")
	return healthy
}

// probeURL returns the URL of a listen address. A server that listens on all
// interfaces is asked over the loopback interface.
func probeURL(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + "/", nil
}

func probe(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
