// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Memory holds the memory of a collector in MiB.
type Memory struct {
	// Heap is the memory of objects after a garbage collection.
	Heap float64
	// InUse is the memory that the Go runtime uses after a garbage collection: partly filled pages,
	// stacks, and its own tables, too, but not the free pages that it keeps.
	InUse float64
	// Resident is the resident memory without mapped files. It includes free pages, which the
	// runtime keeps up to the size at which it collects garbage next.
	Resident float64
}

var memoryOf = regexp.MustCompile(`(?m)^# (HeapAlloc|HeapIdle|Sys) = (\d+)$`)

// Memory triggers a garbage collection and returns the remaining memory. It requires Linux, and
// the pprof extension on $E2E_PPROF.
func (c *Collector) Memory(ctx context.Context) (m Memory, err error) {
	var profile []byte
	for range 2 { // finalizers run after the first
		if profile, err = Get(ctx, "http://"+c.Pprof+"/debug/pprof/heap?gc=1&debug=1"); err != nil {
			return m, err
		}
	}
	figures := map[string]float64{}
	for _, m := range memoryOf.FindAllSubmatch(profile, -1) {
		bytes, err := strconv.ParseFloat(string(m[2]), 64)
		if err != nil {
			return Memory{}, err
		}
		figures[string(m[1])] = bytes / (1 << 20)
	}
	if len(figures) != 3 {
		return m, errors.New("the heap profile has no HeapAlloc, HeapIdle, or Sys")
	}
	kib, err := c.status("RssAnon:")
	return Memory{Heap: figures["HeapAlloc"], InUse: figures["Sys"] - figures["HeapIdle"], Resident: float64(kib) / 1024}, err
}

// PeakMemory returns the highest resident memory of the process in bytes. It requires Linux.
func (p *Process) PeakMemory() (int, error) { return ProcessID(p.PID()).PeakMemory() }

// PeakMemory returns the highest resident memory of the process in bytes. It requires Linux.
func (p ProcessID) PeakMemory() (int, error) {
	kib, err := p.status("VmHWM:")
	return kib << 10, err
}

// OwnMemory returns the resident memory of the process in bytes, without mapped files. It
// requires Linux.
func (p *Process) OwnMemory() (int, error) {
	all, err := p.status("VmRSS:")
	if err != nil {
		return 0, err
	}
	mapped, err := p.status("RssShmem:")
	return (all - mapped) << 10, err
}

func (p *Process) status(name string) (int, error) { return ProcessID(p.PID()).status(name) }

// status returns a number, in KiB if it is a size, from /proc/PID/status.
func (p ProcessID) status(name string) (value int, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
	if err != nil {
		return 0, fmt.Errorf("cannot read memory from /proc, which requires Linux: %w", err)
	}
	_, rest, _ := strings.Cut(string(b), name)
	return strconv.Atoi(strings.Fields(rest + " ?")[0])
}

// Get returns the body of a successful response.
func Get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s answered %s", url, res.Status)
	}
	return io.ReadAll(res.Body)
}
