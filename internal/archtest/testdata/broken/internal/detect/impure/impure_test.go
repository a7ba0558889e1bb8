// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package impure is part of a fixture.
package impure

import _ "go.opentelemetry.io/collector/pdata/plog"
