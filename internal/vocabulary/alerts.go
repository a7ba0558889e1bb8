// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package vocabulary

import "strings"

// AlertIncident is the name of the alert of an incident in Alertmanager.
const AlertIncident = "AuspexIncident"

// Runbook returns the address of the section of docs/runbooks.md that explains an alert.
func Runbook(alert string) string {
	return "https://github.com/auspex-otel/auspex/blob/main/docs/runbooks.md#" + strings.ToLower(alert)
}
