// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// flinkFolders maps releases to the folders of scripts/peers.sh below the cache.
var flinkFolders = map[string]string{"1.20": "flink-1.20.5", "2": "flink-2.3.0"}

// flinkWithin bounds the start of a JobManager and its TaskManagers on a busy machine.
const flinkWithin = 2 * time.Minute

// flinkConfig is the configuration of all processes: RocksDB, checkpoints in files, and restarts after a second.
const flinkConfig = `
jobmanager.rpc.address: 127.0.0.1
jobmanager.rpc.port: %[1]s
jobmanager.bind-host: 127.0.0.1
taskmanager.host: 127.0.0.1
taskmanager.bind-host: 127.0.0.1
taskmanager.numberOfTaskSlots: 1
rest.address: 127.0.0.1
rest.bind-address: 127.0.0.1
rest.port: %[2]s
rest.bind-port: %[2]s
io.tmp.dirs: %[3]s/tmp
state.backend.type: rocksdb
execution.checkpointing.incremental: true
execution.checkpointing.dir: file://%[3]s/checkpoints
execution.checkpointing.savepoint-dir: file://%[3]s/savepoints
restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 20
restart-strategy.fixed-delay.delay: 1s
heartbeat.interval: 2000
heartbeat.timeout: 20000
pekko.ask.timeout: 60s
pekko.startup-timeout: 120s
metrics.fetcher.update-interval: 1000
`

// Flink is a real session cluster: a JobManager, and TaskManagers with one slot each, in processes of their own.
type Flink struct {
	// JobManager runs until the end of the test.
	JobManager *Process
	// URL is the address of the REST API, such as http://127.0.0.1:8081.
	URL string

	t        TB
	program  string
	data     string              // configuration, checkpoints, savepoints
	managers map[string]*Process // running TaskManagers, by name
	started  int
}

// FlinkFolder returns the installation of release 1.20 or 2: the folders lib, with the jars, and jdk.
func FlinkFolder(t TB, release string) string {
	t.Helper()
	folder := filepath.Join(CacheFolder(t), flinkFolders[release])
	if _, err := os.Stat(filepath.Join(folder, "flink")); err != nil || flinkFolders[release] == "" {
		t.Fatalf("Flink %s is not in the cache (%v): run scripts/peers.sh flink %s, which installs it", release, err, release)
	}
	return folder
}

// StartFlink starts a cluster of release 1.20 or 2, and waits until its TaskManagers have registered. Settings are
// lines of config.yaml.
func StartFlink(t TB, release string, taskManagers int, settings ...string) *Flink {
	t.Helper()
	a := FreeAddresses(t, 2)
	f := &Flink{t: t, URL: "http://" + a[0], program: filepath.Join(FlinkFolder(t, release), "flink"), data: t.TempDir(), managers: map[string]*Process{}}
	_, rest := splitAddress(t, a[0])
	_, rpc := splitAddress(t, a[1])
	config := fmt.Sprintf(flinkConfig[1:], rpc, rest, f.data) + strings.Join(settings, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(f.data, "config.yaml"), []byte(config), 0o600); err != nil {
		t.Fatalf("configuration of Flink: %v", err)
	}
	f.JobManager = Program{Name: "Flink's JobManager", Path: f.program, Args: []string{"jobmanager", f.data}, Log: f.log("jobmanager")}.Start(t)
	Eventually(t, flinkWithin, "the JobManager to be ready", func() error {
		f.checkRunning("jobmanager", f.JobManager)
		return answers(f.URL + "/overview")
	})
	for range taskManagers {
		f.StartTaskManager()
	}
	f.WaitSlots(taskManagers)
	return f
}

func (f *Flink) log(name string) string { return filepath.Join(f.data, name+".log") }

// Logs returns the logs of all processes, by the name of the process.
func (f *Flink) Logs() map[string]string {
	logs := map[string]string{"jobmanager": f.JobManager.Log()}
	for i := range f.started {
		name := managerName(i + 1)
		text, err := os.ReadFile(f.log(name))
		if err != nil {
			text = []byte(err.Error())
		}
		logs[name] = string(text)
	}
	return logs
}

func managerName(number int) string { return fmt.Sprint("taskmanager-", number) }

// StartTaskManager starts another TaskManager without waiting for it.
func (f *Flink) StartTaskManager() {
	f.t.Helper()
	f.started++
	name := managerName(f.started)
	f.managers[name] = Program{
		Name: "Flink's " + name, Path: f.program, Args: []string{"taskmanager", f.data, name}, Log: f.log(name),
	}.Start(f.t)
}

// WaitSlots waits until exactly n TaskManagers are registered.
func (f *Flink) WaitSlots(n int) {
	f.t.Helper()
	Eventually(f.t, flinkWithin, fmt.Sprintf("%d TaskManagers to register", n), func() error {
		var overview struct {
			TaskManagers int `json:"taskmanagers"`
		}
		if err := f.get(context.Background(), "/overview", &overview); err != nil {
			return err
		}
		for name, p := range f.managers {
			f.checkRunning(name, p)
		}
		if overview.TaskManagers != n {
			return fmt.Errorf("%d are registered", overview.TaskManagers)
		}
		return nil
	})
}

// checkRunning fails the test with the errors in the log if a process has ended.
func (f *Flink) checkRunning(name string, p *Process) {
	f.t.Helper()
	if !p.Running() {
		f.t.Fatalf("Flink's %s exited unexpectedly (%v). Errors in its log:\n%s", name, p.err, errorsIn(p.Log()))
	}
}

// errorsIn returns the lines of a log that report an error or an exception, at most 20.
func errorsIn(log string) string {
	var found []string
	for line := range strings.Lines(log) {
		if len(found) < 20 && (strings.Contains(line, " ERROR ") || strings.Contains(line, "Exception: ")) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

// TaskManagers returns the running TaskManagers.
func (f *Flink) TaskManagers() (list []*Process) {
	for _, p := range f.managers {
		list = append(list, p)
	}
	return list
}

// KillTaskManager kills a TaskManager that runs a task of the job, with its children, and returns its name.
func (f *Flink) KillTaskManager(ctx context.Context, job string) (name string, err error) {
	vertices, err := f.Vertices(ctx, job)
	if err != nil {
		return "", err
	}
	for _, v := range vertices {
		for _, s := range v.Subtasks {
			if p := f.managers[s.TaskManager]; p != nil {
				p.Kill()
				delete(f.managers, s.TaskManager)
				return s.TaskManager, nil
			}
		}
	}
	return "", fmt.Errorf("no TaskManager runs a task of job %s", job)
}

// Workers returns the programs `auspex worker` that TaskManagers have started. It requires Linux.
func (f *Flink) Workers() (list []ProcessID) {
	f.t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		f.t.Fatalf("cannot list processes, which requires Linux: %v", err)
	}
	parents := map[int]bool{}
	for _, p := range f.managers {
		parents[p.PID()] = true
	}
	for _, e := range entries {
		number, err := strconv.Atoi(e.Name())
		if err != nil {
			continue // not a process
		}
		command, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if args := bytes.Split(command, []byte{0}); err != nil || len(args) < 2 || string(args[1]) != "worker" {
			continue
		}
		pid := ProcessID(number)
		if parent, err := pid.status("PPid:"); err == nil && parents[parent] {
			list = append(list, pid)
		}
	}
	return list
}
