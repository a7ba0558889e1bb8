// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package elastic tests what writes to Elasticsearch against real servers, of
// every major version that is supported. scripts/peers.sh installs them.
package elastic
