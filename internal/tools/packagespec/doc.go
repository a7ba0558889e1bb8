// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package packagespec checks the Kibana saved objects with Elastic's validator of integration packages: ids, references, and
// panels that Kibana no longer supports. The validator is under the Elastic License, so it is a tool of this test alone, in a
// module of its own.
package packagespec
