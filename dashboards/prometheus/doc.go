// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package prometheus holds the recording and alerting rules for Prometheus. The tests
// compare their names with internal/vocabulary and with the metadata of the components.
package prometheus

import _ "embed"

// Rules is the content of rules.yaml.
//
//go:embed rules.yaml
var Rules []byte
