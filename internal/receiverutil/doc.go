// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package receiverutil provides the shared parts of the receivers that listen: admission and limits of clients, the
// HTTP server, the status of a consumer's error, and instances that serve the pipelines of several signals.
package receiverutil
