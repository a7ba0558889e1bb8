// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	"github.com/goreleaser/nfpm/v2/rpm"
)

// etc is the folder of the configurations. The service otelcol-auspex@NAME uses NAME.yaml and NAME.env.
const etc = "/etc/" + name + "/"

// writePackages writes a deb and an rpm.
func (r release) writePackages(p platform, programs []file, out string) error {
	for _, kind := range []struct {
		nfpm.Packager
		format  string
		depends []string // useradd, and for a deb that deb-systemd-invoke exists
	}{
		{deb.Default, "deb", []string{"passwd", "init-system-helpers"}},
		{rpm.DefaultRPM, "rpm", []string{"/usr/sbin/useradd"}},
	} {
		info, err := r.info(p, programs)
		if err != nil {
			return err
		}
		info.Depends = kind.depends
		if err := nfpm.PrepareForPackager(info, kind.format); err != nil {
			return err
		}
		file := filepath.Join(out, r.file(p.os+"_"+p.arch+"."+kind.format))
		if err := create(file, func(w io.Writer) error { return kind.Package(info, w) }); err != nil {
			return err
		}
	}
	return nil
}

// info describes the package of a platform.
func (r release) info(p platform, programs []file) (*nfpm.Info, error) {
	contents, err := r.contents(programs)
	if err != nil {
		return nil, err
	}
	packaging := filepath.Join(r.root, "distro", "packaging")
	return nfpm.WithDefaults(&nfpm.Info{
		Name: name, Version: r.version, Arch: p.arch, Platform: "linux", MTime: r.time, DisableGlobbing: true,
		Section: "net", Priority: "optional", Vendor: "The Auspex Authors", License: "Apache-2.0",
		Maintainer: "The Auspex Authors <auspex-otel@users.noreply.github.com>", Homepage: "https://github.com/auspex-otel/auspex",
		Description: "Auspex OpenTelemetry Collector distribution\n" +
			"Detects anomalies in metrics, logs, and traces as they pass through the pipeline.",
		Overridables: nfpm.Overridables{
			Contents: contents,
			Scripts: nfpm.Scripts{
				PostInstall: filepath.Join(packaging, "postinstall.sh"),
				PreRemove:   filepath.Join(packaging, "preremove.sh"),
				PostRemove:  filepath.Join(packaging, "postremove.sh"),
			},
			RPM: nfpm.RPM{BuildHost: "localhost", Compression: "gzip:6"},
			Deb: nfpm.Deb{Compression: "gzip"},
		},
	}), nil
}

// contents returns the files of a package with their destinations.
func (r release) contents(programs []file) (list files.Contents, err error) {
	add := func(kind string, f file, destination string) {
		list = append(list, &files.Content{
			Source: f.source, Destination: destination, Type: kind, FileInfo: &files.ContentFileInfo{Mode: f.mode, MTime: r.time},
		})
	}
	for _, f := range programs {
		add(files.TypeFile, f, "/usr/bin/"+f.name)
	}
	for _, f := range r.documents() {
		add(files.TypeFile, f, "/usr/share/doc/"+name+"/"+f.name)
	}
	packaging := filepath.Join(r.root, "distro", "packaging")
	unit := name + "@.service"
	add(files.TypeFile, file{source: filepath.Join(packaging, unit), mode: 0o644}, "/usr/lib/systemd/system/"+unit)
	configurations, err := r.configurations()
	if err != nil {
		return nil, err
	}
	environment := file{source: filepath.Join(packaging, "service.env"), mode: 0o600}
	for _, f := range configurations {
		add(files.TypeConfigNoReplace, f, etc+f.name)
		add(files.TypeConfigNoReplace, environment, etc+strings.TrimSuffix(f.name, ".yaml")+".env")
	}
	return list, nil
}
