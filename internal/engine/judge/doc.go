// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package judge judges points. It owns the streams with their models, resources,
// services, the opening rule, policies, silences, the tracker of incidents, and the
// findings. The packages of the signals hand it points and read back verdicts and open
// anomalies; it knows none of them. It has no lock: the engine serializes all calls,
// apart from the work that Points gives to a Crew.
package judge
