// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package auspexprovider

import (
	"errors"
	"os"
)

// Environment variables of the shipped configurations with Kafka.
const (
	envInstance       = "AUSPEX_INSTANCE"
	envKafkaUsername  = "AUSPEX_KAFKA_USERNAME"
	envKafkaPassword  = "AUSPEX_KAFKA_PASSWORD" //nolint:gosec // the name of a variable
	envKafkaMechanism = "AUSPEX_KAFKA_MECHANISM"
)

// Names of their settings.
const (
	instance  = "instance"
	kafkaAuth = "kafka_auth"
)

// instanceName returns the name of this collector among its replicas.
func instanceName() (string, error) {
	if name := os.Getenv(envInstance); name != "" {
		return name, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", errors.New("the host has no name: set " + envInstance + " to a name that no other replica has")
	}
	return name, nil
}

// kafkaAuthSettings returns the section auth of a Kafka client, or nil without a user.
func kafkaAuthSettings() (any, error) {
	user, password := os.Getenv(envKafkaUsername), os.Getenv(envKafkaPassword)
	switch {
	case user == "" && password == "":
		return nil, nil
	case user == "" || password == "":
		return nil, errors.New(envKafkaUsername + " and " + envKafkaPassword + " must both be set")
	}
	mechanism := os.Getenv(envKafkaMechanism)
	if mechanism == "" {
		mechanism = "SCRAM-SHA-512"
	}
	return map[string]any{"sasl": map[string]any{"username": user, "password": password, "mechanism": mechanism}}, nil
}
