// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package receivers sends with real clients to every receiver of the built collector,
// and compares the clients' own lists with what is in a real backend.
package receivers
