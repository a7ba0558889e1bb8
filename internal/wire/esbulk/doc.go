// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package esbulk writes the action lines of Elasticsearch's _bulk requests and
// reads the answers. It is pure: bytes in, bytes out.
package esbulk
