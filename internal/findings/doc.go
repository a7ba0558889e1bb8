// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package findings translates findings of the engine to metrics and logs. The receiver findings and the worker emit
// the same ones.
package findings
