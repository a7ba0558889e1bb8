// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package logql checks the query of the annotations from Loki with Loki's own parser and pipeline. They are under the AGPL, so
// they are tools of this test alone, in a module of its own.
package logql
