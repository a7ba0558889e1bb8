// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package auspexprovider

import (
	"crypto/rand"
	"errors"
	"os"

	"go.opentelemetry.io/collector/confmap"
)

// Environment variables that secure the servers of a shipped configuration.
const (
	envCert        = "AUSPEX_TLS_CERT"
	envKey         = "AUSPEX_TLS_KEY"
	envClientCA    = "AUSPEX_TLS_CLIENT_CA"
	envBearerToken = "AUSPEX_BEARER_TOKEN" //nolint:gosec // the name of a variable
	envHtpasswd    = "AUSPEX_HTPASSWD"     //nolint:gosec // the same
)

// Names of their settings, as in ${auspex:server_tls}.
const (
	serverTLS  = "server_tls"
	serverAuth = "server_auth"
	bearerAuth = "bearer_auth"
	basicAuth  = "basic_auth"
)

// Extensions of the shipped configurations that authenticate clients. Extensions that no server refers to are idle.
const (
	bearerID = "bearertokenauth/clients" //nolint:gosec // no secret
	basicID  = "basicauth/clients"
)

// settings returns the settings with a name, and false for an unknown name. The value of an absent section of a server
// is nil.
func settings(name string) (_ *confmap.Retrieved, ok bool, err error) {
	var value any
	switch name {
	case serverTLS:
		value, err = tlsSettings()
	case serverAuth:
		value, err = authSettings()
	case bearerAuth:
		value = map[string]any{"token": orRandom(os.Getenv(envBearerToken))}
	case basicAuth:
		value = map[string]any{"htpasswd": htpasswd()}
	case instance:
		value, err = instanceName()
	case kafkaAuth:
		value, err = kafkaAuthSettings()
	default:
		return nil, false, nil
	}
	if err != nil {
		return nil, true, err
	}
	r, err := confmap.NewRetrieved(value)
	return r, true, err
}

func tlsSettings() (any, error) {
	cert, key, ca := os.Getenv(envCert), os.Getenv(envKey), os.Getenv(envClientCA)
	switch {
	case cert == "" && key == "" && ca == "":
		return nil, nil
	case cert == "" || key == "":
		return nil, errors.New(envCert + " and " + envKey + " must both be set, to the files of the servers' certificate and of its private key")
	}
	tls := map[string]any{"cert_file": cert, "key_file": key}
	if ca != "" {
		tls["client_ca_file"] = ca
	}
	return tls, nil
}

func authSettings() (any, error) {
	bearer, basic := os.Getenv(envBearerToken) != "", os.Getenv(envHtpasswd) != ""
	switch {
	case bearer && basic:
		return nil, errors.New(envBearerToken + " and " + envHtpasswd + " are both set: a server accepts one kind of authentication, unset one of them")
	case bearer:
		return map[string]any{"authenticator": bearerID}, nil
	case basic:
		return map[string]any{"authenticator": basicID}, nil
	}
	return nil, nil
}

func htpasswd() map[string]any {
	if file := os.Getenv(envHtpasswd); file != "" {
		return map[string]any{"file": file}
	}
	return map[string]any{"inline": "none:" + rand.Text()}
}

// orRandom returns text, or a random secret if text is empty.
func orRandom(text string) string {
	if text == "" {
		return rand.Text()
	}
	return text
}
