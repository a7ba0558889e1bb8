// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Command packages builds the files of a release, without a container runtime:
//
//   - a deb and an rpm for each Linux platform
//   - a tar.gz for each Linux and macOS platform, and a zip for Windows
//   - an OCI image layout with all Linux platforms
//   - a software bill of materials (CycloneDX) for each platform
//   - SHA256SUMS, its signature by a new key, and the public key
//
// The private key is discarded: the signature protects a copy of the files, and a release is signed again by its job.
// All files but the signature and the key are reproducible. Their bytes depend on the source files, the version, the time of the
// commit (or SOURCE_DATE_EPOCH), and the version of Go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

// settings holds the command line.
type settings struct {
	root, out string
	platforms []platform
}

func parse(args []string, errs io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("packages", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.StringVar(&s.root, "root", ".", "the `folder` of the repository")
	flags.StringVar(&s.out, "out", "bin/packages", "the `folder` to write to")
	list := flags.String("platforms", "", "the platforms to build, such as linux/amd64,linux/arm64 (default: all)")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	s.platforms, err = selectPlatforms(*list)
	return s, err
}

// run builds everything and returns the exit code.
func run(ctx context.Context, args []string, errs io.Writer) int {
	s, err := parse(args, errs)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		_, _ = fmt.Fprintln(errs, "packages:", err)
		return exitUsage
	}
	if err := build(ctx, s, errs); err != nil {
		_, _ = fmt.Fprintln(errs, "packages:", err)
		return exitFailed
	}
	return 0
}

// build writes all files to s.out, which it empties first.
func build(ctx context.Context, s settings, log io.Writer) error {
	r, err := newRelease(ctx, s.root)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(s.out); err != nil {
		return err
	}
	if err := os.MkdirAll(s.out, 0o750); err != nil {
		return err
	}
	programs, err := os.MkdirTemp("", "auspex-packages-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(programs) }()

	image := newImage(r)
	for _, p := range s.platforms {
		began := time.Now()
		files, err := r.compile(ctx, p, filepath.Join(programs, p.os+"_"+p.arch))
		if err != nil {
			return err
		}
		compiled := time.Since(began)
		if err := r.pack(ctx, p, files, s.out); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		if p.os == "linux" {
			if err := image.add(p, files); err != nil {
				return fmt.Errorf("%s: image: %w", p, err)
			}
		}
		_, _ = fmt.Fprintf(log, "%s: compiled in %.0f s, packed in %.0f s\n", p, compiled.Seconds(), (time.Since(began) - compiled).Seconds())
	}
	if err := image.write(filepath.Join(s.out, r.file("oci.tar"))); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	return sign(s.out)
}

// pack writes all files of one platform except its part of the image.
func (r release) pack(ctx context.Context, p platform, files []file, out string) error {
	name := func(suffix string) string { return filepath.Join(out, r.file(p.os+"_"+p.arch+suffix)) }
	archived, err := r.archived(p, files)
	if err != nil {
		return err
	}
	archive, suffix := writeTarGz, ".tar.gz"
	if p.os == "windows" {
		archive, suffix = writeZip, ".zip"
	}
	if err := create(name(suffix), func(w io.Writer) error { return archive(w, r.time, archived) }); err != nil {
		return err
	}
	if p.os == "linux" {
		if err := r.writePackages(p, files, out); err != nil {
			return err
		}
	}
	return r.writeBill(ctx, files[0].source, name(".cdx.json"))
}

// create creates a file, has it written, and closes it.
func create(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644) //nolint:gosec // a release is public
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// selectPlatforms returns the platforms of a list with commas, or all if it is empty.
func selectPlatforms(list string) (selected []platform, err error) {
	if list == "" {
		return platforms, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(platforms, func(p platform) bool { return p.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("-platforms: %q is not one of %v", name, platforms)
		}
		selected = append(selected, platforms[i])
	}
	return selected, nil
}
