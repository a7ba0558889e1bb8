// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package esbulk encodes and decodes Elasticsearch's _bulk requests and their answers. A client
// encodes actions and decodes answers. A server decodes requests and encodes answers. It performs
// no input or output.
package esbulk
