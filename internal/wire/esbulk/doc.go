// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package esbulk is the format of Elasticsearch's _bulk requests and of their
// answers, from both sides: a client writes action lines and reads answers, a
// server reads requests and writes answers. It is pure: bytes in, bytes out.
package esbulk
