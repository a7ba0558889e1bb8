// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// port is a port of 127.0.0.1 that the default collector listens on.
type port struct {
	number int
	use    string
}

// ports lists the ports of the default configuration.
var ports = []port{
	{4317, "OTLP over gRPC"},
	{4318, "OTLP over HTTP"},
	{8899, "the console's API"},
	{8888, "the collector's own metrics"},
	{13133, "the health check"},
}

// checkPorts returns an error that names each port that another program uses.
func checkPorts(ports []port) error {
	var taken []string
	for _, p := range ports {
		if err := free(p.number); err != nil {
			taken = append(taken, fmt.Sprintf("  127.0.0.1:%d, for %s: %v", p.number, p.use, err))
		}
	}
	if len(taken) == 0 {
		return nil
	}
	return fmt.Errorf("the collector needs ports that are taken:\n%s\nEnd what listens there (another collector?), then try again; "+
		"`ss -ltnp` or `lsof -iTCP -sTCP:LISTEN` shows what it is", strings.Join(taken, "\n"))
}

// free returns an error unless a port of 127.0.0.1 can be listened on. On some systems a second program can listen on
// it while another listens on all addresses, so free also tries to connect.
func free(number int) error {
	address := fmt.Sprintf("127.0.0.1:%d", number)
	if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		_ = conn.Close()
		return errors.New("something listens there")
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}
