// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/auspex-otel/auspex/internal/mask"
)

const (
	defaultMetrics = "http://127.0.0.1:8888/metrics"
	// maxLog bounds what is taken of a log file: its end, in bytes.
	maxLog = 5 << 20
	// cpuSeconds is the length of the CPU profile.
	cpuSeconds = 10
)

// supportOptions are the flags of auspex support-bundle.
type supportOptions struct {
	endpoint, metrics, pprof, out string
	logs                          []string
	during                        time.Duration
	list                          bool
}

func newSupportBundle(env environment) *cobra.Command {
	var o supportOptions
	cmd := &cobra.Command{
		Use:   "support-bundle",
		Short: "Write one archive with what a maintainer needs to help you",
		Long: `Write one archive with the state of a running collector, for a bug report:
versions, status, pipelines, effective configuration, internal metrics at the start
and at the end of an interval, profiles, and the ends of log files.

The command first lists the contents. Secrets are removed: the collector hides them
in its configuration, and every line of every text is masked like log examples.
Names of services, metrics, and attributes remain. Look at the archive before you
send it to others.

What cannot be collected is listed in errors.txt; the other files are still written.

` + exitCodes,
		Example: `  # what would the archive contain?
  auspex support-bundle --list

  # everything, with the log of a systemd service
  journalctl -u otelcol-auspex > collector.log
  auspex support-bundle --log collector.log --pprof http://127.0.0.1:1777`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return writeSupportBundle(ctx, env, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.endpoint, "endpoint", defaultEndpoint, "address of the collector's console")
	f.StringVar(&o.metrics, "metrics", defaultMetrics, "address of the collector's own metrics; empty: leave them out")
	f.StringVar(&o.pprof, "pprof", "", "address of the pprof extension, as in http://127.0.0.1:1777 (default: no profiles)")
	f.StringArrayVar(&o.logs, "log", nil, "log file of the collector; its last 5 MiB are taken; can be repeated")
	f.DurationVar(&o.during, "during", time.Minute, "time between the two readings of the metrics")
	f.StringVar(&o.out, "out", "", "file to write (default: auspex-support-TIME.tar.gz in this folder)")
	f.BoolVar(&o.list, "list", false, "list the contents and write nothing")
	return cmd
}

// supportFile is one file of the archive.
type supportFile struct {
	name, source string
	// binary content, such as a profile, is not masked.
	binary bool
	read   func(context.Context) ([]byte, error)
}

func writeSupportBundle(ctx context.Context, env environment, o supportOptions) error {
	if o.during < 0 {
		return fmt.Errorf("--during is %s, it must be 0 or more", o.during)
	}
	c, err := newClient(o.endpoint)
	if err != nil {
		return err
	}
	started := time.Now()
	if o.out == "" {
		o.out = "auspex-support-" + started.UTC().Format("20060102T150405Z") + ".tar.gz"
	}
	files := supportFiles(c, o)
	t := newTable("FILE", "SOURCE")
	for _, f := range files {
		t.add(f.name, f.source)
	}
	var b bytes.Buffer
	t.print(&b, "")
	if o.list {
		return env.write(b.Bytes())
	}
	fmt.Fprintf(&b, "\nCollecting for %s ...\n", o.during)
	if err := env.write(b.Bytes()); err != nil {
		return err
	}
	content, missing, err := collectSupport(ctx, files, started)
	if err != nil {
		return failure{err}
	}
	if err := writeWhole(o.out, content); err != nil {
		return failure{fmt.Errorf("cannot write the archive: %w", err)}
	}
	b.Reset()
	for _, m := range missing {
		fmt.Fprintf(&b, "left out: %s\n", m)
	}
	fmt.Fprintf(&b, "%s: %d files, %d KiB. Look at it before you send it: names of services, metrics, and attributes are in it.\n",
		o.out, len(files)-len(missing), (len(content)+1023)>>10)
	return env.write(b.Bytes())
}

// supportFiles lists the files of the archive in the order in which they are collected.
func supportFiles(c *client, o supportOptions) []supportFile {
	files := []supportFile{{"versions.txt", "this program", false, func(context.Context) ([]byte, error) {
		return fmt.Appendf(nil, "auspex %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH), nil
	}}}
	for _, name := range []string{"status", "pipelines", "incidents", "silences"} {
		files = append(files, supportFile{name + ".json", c.peer + "/api/v1/" + name, false, func(ctx context.Context) ([]byte, error) {
			var answer json.RawMessage
			return c.get(ctx, "/api/v1/"+name, &answer)
		}})
	}
	files = append(files, supportFile{"config.yaml", c.peer + "/api/v1/config", false, func(ctx context.Context) ([]byte, error) {
		var answer struct {
			Config string `json:"config"`
		}
		_, err := c.get(ctx, "/api/v1/config", &answer)
		return []byte(answer.Config), err
	}})
	metrics := func(ctx context.Context) ([]byte, error) { return fetch(ctx, o.metrics) }
	if o.metrics != "" {
		files = append(files, supportFile{"metrics-1.txt", mask.Addresses(o.metrics), false, metrics})
	}
	if o.pprof != "" {
		for _, p := range []struct{ name, path string }{
			{"heap.pprof", "heap"}, {"goroutines.pprof", "goroutine"}, {"cpu.pprof", fmt.Sprintf("profile?seconds=%d", cpuSeconds)},
		} {
			at := strings.TrimSuffix(o.pprof, "/") + "/debug/pprof/" + p.path
			files = append(files, supportFile{"profiles/" + p.name, mask.Addresses(at), true, func(ctx context.Context) ([]byte, error) { return fetch(ctx, at) }})
		}
	}
	if o.metrics != "" {
		files = append(files, supportFile{"metrics-2.txt", mask.Addresses(o.metrics) + ", " + o.during.String() + " later", false, func(ctx context.Context) ([]byte, error) {
			select {
			case <-time.After(o.during):
				return metrics(ctx)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}})
	}
	for i, log := range o.logs {
		name := fmt.Sprintf("logs/%d-%s", i+1, filepath.Base(log))
		files = append(files, supportFile{name, log, false, func(context.Context) ([]byte, error) { return endOf(log, maxLog) }})
	}
	return files
}

// collectSupport returns the archive, and one line for each file that could not be collected.
func collectSupport(ctx context.Context, files []supportFile, started time.Time) (content []byte, missing []string, err error) {
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	archive := tar.NewWriter(zipped)
	folder := "auspex-support-" + started.UTC().Format("20060102T150405Z")
	add := func(name string, content []byte) error {
		header := &tar.Header{Name: path.Join(folder, name), Mode: 0o600, Size: int64(len(content)), ModTime: started}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err := archive.Write(content)
		return err
	}
	masker := mask.Default()
	for _, f := range files {
		content, err := f.read(ctx)
		if ctx.Err() != nil {
			return nil, nil, errors.New("interrupted: no archive was written")
		}
		if err != nil {
			missing = append(missing, f.name+": "+mask.Addresses(err.Error()))
			continue
		}
		if !f.binary {
			content = maskLines(masker, content)
		}
		if err := add(f.name, content); err != nil {
			return nil, nil, err
		}
	}
	if len(missing) > 0 {
		if err := add("errors.txt", []byte(strings.Join(missing, "\n")+"\n")); err != nil {
			return nil, nil, err
		}
	}
	err = errors.Join(archive.Close(), zipped.Close())
	return b.Bytes(), missing, err
}

// maskLines masks every line of a text by itself, as the engine masks log records.
func maskLines(m *mask.Masker, text []byte) []byte {
	lines := strings.SplitAfter(string(text), "\n")
	for i, line := range lines {
		lines[i] = m.Mask(line)
	}
	return []byte(strings.Join(lines, ""))
}

// fetch returns the body of an answer with status 200.
func fetch(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime+cpuSeconds*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", url, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxAnswer))
}

// endOf returns the last bytes of a file, from the beginning of a line on.
func endOf(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	skip := max(0, info.Size()-most)
	if _, err := f.Seek(skip, io.SeekStart); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, most))
	if i := bytes.IndexByte(b, '\n'); skip > 0 && i >= 0 {
		b = b[i+1:]
	}
	return b, err
}

// writeWhole writes a file that did not exist, readable by its owner alone.
func writeWhole(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
