// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// name is the name of the packages, of their service, and of its user.
const name = "otelcol-auspex"

// platform is an operating system and an architecture, in Go's terms.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

// platforms lists the platforms of a release.
var platforms = []platform{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}}

// programs lists the programs of a release, and their packages. The collector is the first.
var programs = []struct{ name, folder string }{
	{name, "./distro"},
	{"auspex", "./cmd/auspex"},
	{"auspex-demo", "./demo"},
}

// documents lists the documents in each package.
var documents = []string{"LICENSE", "README.md", "CHANGELOG.md"}

// release is the version and the sources to package.
type release struct {
	root    string
	goroot  string
	version string // without a leading v
	time    time.Time
}

// file is a file in a package. Its name is relative, with slashes.
type file struct {
	name, source string
	mode         os.FileMode
}

// newRelease reads the version from the builder's configuration, and the time from SOURCE_DATE_EPOCH or git.
func newRelease(ctx context.Context, root string) (release, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return release{}, err
	}
	text, err := os.ReadFile(filepath.Join(root, "builder-config.yaml"))
	if err != nil {
		return release{}, fmt.Errorf("%w; set -root to the folder of the repository", err)
	}
	version := regexp.MustCompile(`(?m)^  version: (\S+)$`).FindSubmatch(text)
	if version == nil {
		return release{}, fmt.Errorf("%s has no dist.version", filepath.Join(root, "builder-config.yaml"))
	}
	goroot, err := output(ctx, "go", "env", "GOROOT")
	if err != nil {
		return release{}, err
	}
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		if epoch, err = output(ctx, "git", "-C", root, "log", "-1", "--format=%ct"); err != nil {
			return release{}, fmt.Errorf("%w; set SOURCE_DATE_EPOCH outside a git checkout", err)
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return release{}, fmt.Errorf("SOURCE_DATE_EPOCH=%s: must be seconds since 1970", epoch)
	}
	return release{root: root, goroot: goroot, version: string(version[1]), time: time.Unix(seconds, 0).UTC()}, nil
}

// output runs a program and returns its output without the last line break.
func output(ctx context.Context, program string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, program, args...).Output() //nolint:gosec // the words are those of this program
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// file returns the name of a file of the release.
func (r release) file(rest string) string { return name + "_" + r.version + "_" + rest }

// compile builds the programs of a platform in a folder.
func (r release) compile(ctx context.Context, p platform, folder string) (files []file, err error) {
	for _, program := range programs {
		f := file{name: program.name, mode: 0o755}
		if p.os == "windows" {
			f.name += ".exe"
		}
		f.source = filepath.Join(folder, f.name)
		files = append(files, f)
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+r.version, "-o", f.source, program.folder) //nolint:gosec // fixed words
		cmd.Dir = r.root
		// Everything that the caller's environment could change in the binary.
		cmd.Env = append(os.Environ(), "GOOS="+p.os, "GOARCH="+p.arch, "CGO_ENABLED=0",
			"GOFLAGS=-buildvcs=false", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: go build %s: %w\n%s", p, program.folder, err, out)
		}
	}
	return files, nil
}

// configurations returns the shipped configurations, sorted by name.
func (r release) configurations() ([]file, error) {
	found, err := filepath.Glob(filepath.Join(r.root, "distro", "config", "*.yaml"))
	if err == nil && len(found) == 0 {
		err = errors.New("no configuration in distro/config")
	}
	files := make([]file, 0, len(found))
	for _, source := range found {
		files = append(files, file{name: filepath.Base(source), source: source, mode: 0o644})
	}
	return files, err
}

// documents returns the documents of a package.
func (r release) documents() []file {
	files := make([]file, 0, len(documents))
	for _, d := range documents {
		files = append(files, file{name: d, source: filepath.Join(r.root, d), mode: 0o644})
	}
	return files
}

// archived returns the files of an archive: programs and documents in one folder, and the configurations below it.
func (r release) archived(p platform, programs []file) ([]file, error) {
	configurations, err := r.configurations()
	if err != nil {
		return nil, err
	}
	folder := r.file(p.os + "_" + p.arch)
	files := make([]file, 0, len(programs)+len(documents)+len(configurations))
	for _, f := range append(r.documents(), programs...) {
		files = append(files, f.in(folder))
	}
	for _, f := range configurations {
		files = append(files, f.in(path.Join(folder, "config")))
	}
	return files, nil
}

// in returns the file in a folder of the package.
func (f file) in(folder string) file {
	f.name = path.Join(folder, f.name)
	return f
}
