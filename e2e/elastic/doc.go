// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package elastic tests the components that write to Elasticsearch against real servers of every supported major
// version. scripts/peers.sh installs them.
package elastic
