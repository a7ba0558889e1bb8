// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package clients provides the senders of the end-to-end tests: small clients of each receiver's protocol, hostile
// clients, and a source of metric points. The programs in other languages in this folder are real clients.
package clients
