// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package admission is a config converter that puts the request_limiter extension in
// front of every OTLP receiver that has no middlewares key.
//
// A memory_limiter processor sees a request after it was read and decoded: two dozen
// requests of 20 KB each can take 10 GB before that. A configuration that was written for
// another distribution has no request_limiter, and is protected nevertheless.
package admission
