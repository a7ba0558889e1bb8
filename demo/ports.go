// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Variables of the default configuration that hold its addresses.
const (
	otlpVariable    = "AUSPEX_OTLP_GRPC"
	consoleVariable = "AUSPEX_CONSOLE"
	metricsVariable = "AUSPEX_METRICS" // a port, without a host
)

// addresses maps the variables of the default configuration to ports of 127.0.0.1.
type addresses map[string]int

// defaults holds the ports of the default configuration.
var defaults = addresses{otlpVariable: 4317, "AUSPEX_OTLP_HTTP": 4318, consoleVariable: 8899, metricsVariable: 8888, "AUSPEX_HEALTH": 13133}

// available returns the addresses if all of them are free, and free ports for all of them otherwise. A collector that
// already runs on this machine keeps its ports that way.
func (a addresses) available() (_ addresses, moved bool, err error) {
	for _, number := range a {
		if free(number) != nil {
			a, err = unused(a)
			return a, true, err
		}
	}
	return a, false, nil
}

// unused returns a free port for each variable.
func unused(like addresses) (addresses, error) {
	a := addresses{}
	for variable := range like {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		a[variable] = l.Addr().(*net.TCPAddr).Port
	}
	return a, nil
}

// of returns the address of a variable.
func (a addresses) of(variable string) string { return fmt.Sprintf("127.0.0.1:%d", a[variable]) }

// environment returns the variables as NAME=value.
func (a addresses) environment() (env []string) {
	for variable, number := range a {
		value := a.of(variable)
		if variable == metricsVariable {
			value = strconv.Itoa(number)
		}
		env = append(env, variable+"="+value)
	}
	return env
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
