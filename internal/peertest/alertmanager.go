// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// alertmanagerProgram is the path of Alertmanager below the cache, as scripts/peers.sh installs it.
const alertmanagerProgram = "alertmanager-0.25.0/alertmanager"

// alertmanagerConfig sends every notification to a webhook, one group per incident.
const alertmanagerConfig = `route:
  receiver: webhook
  group_by: [alertname, incident_id]
  group_wait: 1s
  group_interval: 1s
receivers:
  - name: webhook
    webhook_configs:
      - url: %s
        send_resolved: true
`

// Alertmanager is a real server. It may be started again after it ended, and then has the
// silences and the notifications that it had; the alerts are in memory only.
type Alertmanager struct {
	*Process
	// URL is its base address.
	URL string

	t       TB
	program string
	folder  string
	address string
	hook    *httptest.Server

	mu            sync.Mutex
	notifications []Notification
}

// Alert is an alert as the API of Alertmanager returns it and as a notification contains it.
type Alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	UpdatedAt    time.Time         `json:"updatedAt"`
	GeneratorURL string            `json:"generatorURL"`
	// Status is firing or resolved, in notifications only.
	Status json.RawMessage `json:"status"`
}

// Notification is a request that Alertmanager sent to the webhook.
type Notification struct {
	Status string  `json:"status"`
	Alerts []Alert `json:"alerts"`
}

// StartAlertmanager starts a server and waits until it is ready.
func StartAlertmanager(t TB) *Alertmanager {
	t.Helper()
	program := filepath.Join(CacheFolder(t), alertmanagerProgram)
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("Alertmanager is not in the cache (%v): run scripts/peers.sh alertmanager, which installs it", err)
	}
	a := &Alertmanager{t: t, program: program, folder: t.TempDir(), address: FreeAddresses(t, 1)[0]}
	a.URL = "http://" + a.address
	a.hook = httptest.NewServer(http.HandlerFunc(a.receive))
	t.Cleanup(a.hook.Close)
	config := filepath.Join(a.folder, "alertmanager.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, alertmanagerConfig, a.hook.URL), 0o600); err != nil {
		t.Fatalf("write %s: %v", config, err)
	}
	a.Start()
	return a
}

// Start runs the server on its folder and its port, and waits until it is ready.
func (a *Alertmanager) Start() {
	a.t.Helper()
	a.Process = Program{
		Name: "Alertmanager", Path: a.program, Log: filepath.Join(a.folder, "alertmanager.log"),
		Args: []string{
			"--config.file=" + filepath.Join(a.folder, "alertmanager.yml"), "--storage.path=" + filepath.Join(a.folder, "data"),
			"--web.listen-address=" + a.address, "--cluster.listen-address=",
		},
	}.Start(a.t)
	a.WaitReady(a.URL + "/-/ready")
}

func (a *Alertmanager) receive(w http.ResponseWriter, r *http.Request) {
	var n Notification
	if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.notifications = append(a.notifications, n)
}

// Notifications returns the notifications that the webhook has received, the oldest first.
func (a *Alertmanager) Notifications() []Notification {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.notifications)
}

// Alerts returns the alerts that fire, as the API lists them.
func (a *Alertmanager) Alerts(ctx context.Context) ([]Alert, error) {
	text, err := Get(ctx, a.URL+"/api/v2/alerts")
	if err != nil {
		return nil, err
	}
	var alerts []Alert
	return alerts, json.Unmarshal(text, &alerts)
}
