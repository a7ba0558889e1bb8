// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package vocabulary

import "go.opentelemetry.io/collector/pdata/pcommon"

// Service returns the service of a resource: its service.name, else its host.name, so that host
// metrics have a service, else UnknownService.
func Service(resource pcommon.Map) string {
	for _, key := range [...]string{ServiceName, HostName} {
		if v, ok := resource.Get(key); ok && v.AsString() != "" {
			return v.AsString()
		}
	}
	return UnknownService
}

// OfHost reports whether a resource is a host: it has a host.name and no service.name.
func OfHost(resource pcommon.Map) bool {
	name, ok := resource.Get(ServiceName)
	host, known := resource.Get(HostName)
	return (!ok || name.AsString() == "") && known && host.AsString() != ""
}
