// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Program campaign injects random faults into the built collector and compares the acknowledged records with those in
// its backends. With -soak it measures whether memory and false alarms drift under a steady load.
//
//	go run ./e2e/campaign -seed 1 -hours 0.4
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/e2e/clients"
	"github.com/auspex-otel/auspex/internal/peertest"
)

// plan holds the amounts of a stage.
type plan struct {
	seed    uint64
	run     string // random id of the run
	time    time.Duration
	kills   int // minimum
	records int // minimum
	junk    int
	most    int // maximum records per second of a row
}

var exporters = []string{"elasticsearch", "prometheus_remote_write", "reliable_otlp"}

func main() {
	seed := flag.Uint64("seed", 0, "seed of the random numbers; 0 draws one")
	hours := flag.Float64("hours", 0.33, "hours during which faults are injected")
	kills := flag.Int("kills", 60, "minimum number of kills")
	records := flag.Int("records", 1_000_000, "minimum number of acknowledged records")
	junk := flag.Int("junk", 3_000_000, "number of junk series, templates, operations, and services")
	most := flag.Int("most", 1000, "most records per second of a receiver, so that the backends' answers can be read in minutes")
	only := flag.String("exporters", strings.Join(exporters, ","), "exporters")
	soaking := flag.Bool("soak", false, "measure the drift of memory and false alarms under a steady load, without faults")
	flag.Parse()
	if *soaking {
		exit(peertest.Protect(func(t peertest.TB) error { return soak(t, time.Duration(*hours*float64(time.Hour))) }))
	}
	if err := enclose(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot create a user namespace: %v\n", err)
	}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano() % 1_000_000)
	}
	names := strings.Split(*only, ",")
	n := len(names)
	p := plan{
		seed: *seed, run: newRun(), time: time.Duration(*hours * float64(time.Hour) / float64(n)),
		kills: (*kills + n - 1) / n, records: *records, junk: *junk / n, most: *most,
	}
	fmt.Printf("SEED=%d, run %s: %v of faults for each of %v\n", p.seed, p.run, p.time.Round(time.Second), names)
	exit(p.campaign(names))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// newRun returns a random id.
func newRun() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// campaign runs a stage for each exporter and prints the table. It returns an error if a row fails a requirement.
func (p plan) campaign(names []string) error {
	began := time.Now()
	var stages []*stage
	var failed []string
	var hostile *deck[hostileAt] // over all stages
	records := p.records
	for i, name := range names {
		random := mathrand.New(mathrand.NewPCG(p.seed, uint64(i)))
		err := peertest.Protect(func(t peertest.TB) error {
			if hostile == nil {
				hostile = newDeck(everyHostile(t), random)
			}
			p := p
			p.records = 0 // Elasticsearch limits the rate; the last stage provides the rest
			if i == len(names)-1 {
				p.records = records
			}
			s := p.newStage(t, name, hostile, random)
			stages = append(stages, s)
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			go s.showProgress(ctx)
			err := s.play(ctx)
			records -= s.acknowledged()
			return err
		})
		if err != nil {
			failed = append(failed, name+": "+err.Error())
		}
	}
	fmt.Println()
	failed = append(failed, p.report(os.Stdout, stages)...)
	fmt.Printf("took %v. Clocks of the senders stepped; that of the collector can't without changing the machine's.\n", time.Since(began).Round(time.Second))
	if len(failed) > 0 {
		return fmt.Errorf("FAILED\n%s", strings.Join(failed, "\n"))
	}
	return nil
}

func everyHostile(t peertest.TB) (all []hostileAt) {
	t.Helper()
	for _, h := range clients.HostileRequests(t) {
		for _, receiver := range h.Receivers {
			all = append(all, hostileAt{h, receiver})
		}
	}
	return all
}

// showProgress prints a line per minute, or updates one line on a terminal.
func (s *stage) showProgress(ctx context.Context) {
	every, format := time.Minute, "%s\n"
	if info, err := os.Stdout.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		every, format = time.Second, "\r\033[K%s"
	}
	for began := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		s.victim.mu.Lock()
		kills, peak := s.victim.kills, s.victim.peak
		s.victim.mu.Unlock()
		fmt.Printf(format, fmt.Sprintf("%s %s of about %s: %d acknowledged, %d of %d kills, peak %d MiB; %v",
			s.exporter, time.Since(began).Round(time.Second), s.time.Round(time.Second), s.acknowledged(), kills, s.kills, peak, s.doing.Load()))
	}
}
