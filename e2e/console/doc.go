// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package console drives the page of the console in a real browser, while the demo
// plays a shop into the real collector and breaks one of its services. It needs
// Debian's Chromium, Node 20, and npm: `make e2e-console` runs it.
package console
