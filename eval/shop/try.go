// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// programs holds the paths of the programs.
type programs struct {
	demo, auspex, keep string
}

// truth is the demo's record of its fault.
type truth struct {
	Culprits         []string
	Start, From, End time.Time
}

// findings holds the output of the backtest.
type findings struct {
	incidents []incident
	anomalies []anomaly
}

type incident struct {
	ID        string
	Opened    time.Time
	Suspects  []struct{ Service string }
	Anomalies []anomaly
}

type anomaly struct {
	Service string
	Opened  time.Time
}

// try writes a shop, runs the backtest, and reads the findings. It removes both folders unless they are to be kept.
func (p programs) try(ctx context.Context, fault string, seed int, before time.Duration) (t truth, f findings, err error) {
	folder := filepath.Join(p.keep, fmt.Sprintf("%s-%d", fault, seed))
	if p.keep == "" {
		if folder, err = os.MkdirTemp("", "auspex-shop-"); err != nil {
			return t, f, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	written, judged := filepath.Join(folder, "shop"), filepath.Join(folder, "judged")
	env := append(os.Environ(), "FAULT="+fault, "SEED="+strconv.Itoa(seed))
	if err := command(ctx, env, p.demo, "-write", written, "-before", before.String()); err != nil {
		return t, f, err
	}
	if err := command(ctx, nil, p.auspex, "backtest", "otlp", "--in", filepath.Join(written, "otlp"), "--out", judged); err != nil {
		return t, f, err
	}
	text, err := os.ReadFile(filepath.Join(written, "truth.json"))
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err != nil {
		return t, f, err
	}
	if f.incidents, err = lines[incident](filepath.Join(judged, "incidents.jsonl")); err != nil {
		return t, f, err
	}
	f.anomalies, err = lines[anomaly](filepath.Join(judged, "anomalies.jsonl"))
	return t, f, err
}

// command runs a program. Errors include its output.
func command(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = env
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, output)
	}
	return nil
}

// lines reads a file with one JSON value per line.
func lines[T any](path string) ([]T, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []T
	in := bufio.NewScanner(bytes.NewReader(text))
	in.Buffer(nil, len(text)+1)
	for in.Scan() {
		var v T
		if err := json.Unmarshal(in.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, v)
	}
	return out, in.Err()
}
