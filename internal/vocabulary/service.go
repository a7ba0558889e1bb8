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

// OfHost tells whether a resource speaks for a host itself, by its host.name alone.
func OfHost(resource pcommon.Map) bool {
	name, ok := resource.Get(ServiceName)
	host, known := resource.Get(HostName)
	return (!ok || name.AsString() == "") && known && host.AsString() != ""
}
