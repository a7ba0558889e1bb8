// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package receivers sends to every receiver of the built collector with real clients, and compares the clients' own
// lists with the content of a real backend.
package receivers
