// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package areceiver is part of a fixture.
package areceiver

import _ "github.com/auspex-otel/auspex/processor/bprocessor"
