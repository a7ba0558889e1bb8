// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package exporterutil holds what the exporters that send HTTP requests share:
// the judgment of a response, and the refusal of redirects.
package exporterutil
