// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package vocabulary

import "go.opentelemetry.io/collector/pdata/pcommon"

// Service returns the service that a resource of these attributes speaks for:
// its service.name, else its host.name, so that a machine's own metrics have a home.
func Service(resource pcommon.Map) string {
	for _, key := range [...]string{ServiceName, HostName} {
		if v, ok := resource.Get(key); ok && v.AsString() != "" {
			return v.AsString()
		}
	}
	return UnknownService
}
