// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package plot draws series as SVG for pages that run no script: values with their
// prediction interval, and scores below. Style has the style sheet of the drawings.
//
// The live page of the console draws with uPlot, which needs a script.
package plot
