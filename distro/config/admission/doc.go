// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package admission is a config converter that puts the request_limiter extension in front of every OTLP receiver
// without a middlewares key.
//
// A memory_limiter processor receives a request after it was read and decoded. Two dozen requests of 20 KB each can
// take 10 GB before that. The converter also protects configurations of other distributions, which have no
// request_limiter.
package admission
