// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package auspexprovider is the config provider with the scheme auspex.
//
//   - auspex:default, auspex:agent, auspex:agent-kafka, auspex:gateway, auspex:gateway-kafka,
//     auspex:gateway-tail-sampling, auspex:load-balancer and auspex:logstash-replacement are the shipped configurations, to be named on the command line: --config=auspex:agent.
//   - ${auspex:state} is the folder that holds everything otelcol-auspex keeps
//     on disk: the first that is set of $AUSPEX_STATE_DIR, $XDG_STATE_HOME/auspex
//     and $HOME/.local/state/auspex, else /var/lib/auspex.
//   - ${auspex:server_tls}, ${auspex:server_auth}, ${auspex:bearer_auth} and ${auspex:basic_auth} are settings of
//     servers, and of the extensions that authenticate their clients: those that $AUSPEX_TLS_CERT, $AUSPEX_TLS_KEY,
//     $AUSPEX_TLS_CLIENT_CA, $AUSPEX_BEARER_TOKEN and $AUSPEX_HTPASSWD ask for, nothing without them.
//   - ${auspex:instance} is the name of this collector among its replicas: $AUSPEX_INSTANCE, or the name of the host.
//   - ${auspex:kafka_auth} is the section auth of a Kafka client, from $AUSPEX_KAFKA_USERNAME, $AUSPEX_KAFKA_PASSWORD,
//     and $AUSPEX_KAFKA_MECHANISM. It is empty without a user.
package auspexprovider
