// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// Paths in the image.
const (
	imageUser  = 65532 // as in other images without a shell; Kubernetes needs a number to verify runAsNonRoot
	imageState = "var/lib/auspex"
	imageRoots = "etc/ssl/certs/ca-certificates.crt"
	imageZones = "usr/share/zoneinfo.zip"
)

// image is a static image of all Linux platforms: the programs, certificate authorities, and time zones.
type image struct {
	release
	index v1.ImageIndex
}

func newImage(r release) *image {
	return &image{r, mutate.IndexMediaType(empty.Index, types.OCIImageIndex)}
}

// add adds the image of a platform.
func (i *image) add(p platform, programs []file) error {
	content, err := i.layer(programs)
	if err != nil {
		return err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
	if err != nil {
		return err
	}
	labels := map[string]string{
		"org.opencontainers.image.title":    name,
		"org.opencontainers.image.version":  i.version,
		"org.opencontainers.image.source":   "https://github.com/auspex-otel/auspex",
		"org.opencontainers.image.licenses": "Apache-2.0",
	}
	created := v1.Time{Time: i.time}
	config := &v1.ConfigFile{
		OS: p.os, Architecture: p.arch, Created: created, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User: "65532:65532", Entrypoint: []string{"/usr/bin/" + name}, WorkingDir: "/", Labels: labels,
			Env: []string{"PATH=/usr/bin", "AUSPEX_STATE_DIR=/" + imageState, "ZONEINFO=/" + imageZones},
		},
	}
	one, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), config)
	if err != nil {
		return err
	}
	one, err = mutate.Append(one, mutate.Addendum{Layer: layer, History: v1.History{Created: created, CreatedBy: "make packages"}})
	if err != nil {
		return err
	}
	i.index = mutate.AppendManifests(i.index, mutate.IndexAddendum{
		Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.os, Architecture: p.arch}},
	})
	return nil
}

// layer returns the content of the image as a tar file.
func (i *image) layer(programs []file) ([]byte, error) {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	entry := func(h tar.Header, content []byte) error {
		h.Size, h.ModTime, h.Format = int64(len(content)), i.time, tar.FormatUSTAR
		if err := t.WriteHeader(&h); err != nil {
			return err
		}
		_, err := t.Write(content)
		return err
	}
	zones, err := os.ReadFile(filepath.Join(i.goroot, "lib", "time", "zoneinfo.zip"))
	if err != nil {
		return nil, err
	}
	passwd := "nonroot:x:65532:65532:nonroot:/" + imageState + ":/sbin/nologin\n"
	err = errors.Join(
		entry(tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644}, []byte(passwd)),
		entry(tar.Header{Typeflag: tar.TypeReg, Name: imageRoots, Mode: 0o644}, certificates()),
		entry(tar.Header{Typeflag: tar.TypeReg, Name: imageZones, Mode: 0o644}, zones),
		entry(tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}, nil),
		entry(tar.Header{Typeflag: tar.TypeDir, Name: imageState + "/", Mode: 0o700, Uid: imageUser, Gid: imageUser}, nil),
	)
	for _, f := range programs {
		content, readErr := os.ReadFile(f.source)
		err = errors.Join(err, readErr, entry(tar.Header{Typeflag: tar.TypeReg, Name: "usr/bin/" + f.name, Mode: int64(f.mode)}, content))
	}
	content, readErr := os.ReadFile(filepath.Join(i.root, "LICENSE"))
	err = errors.Join(err, readErr, entry(tar.Header{Typeflag: tar.TypeReg, Name: "usr/share/doc/" + name + "/LICENSE", Mode: 0o644}, content))
	err = errors.Join(err, t.Close()) // writes the end of the archive
	return b.Bytes(), err
}

// certificates returns Mozilla's certificate authorities as PEM, without those that are trusted for some names only.
func certificates() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a bytes.Buffer returns no error
		}
	}
	return b.Bytes()
}

// write writes the image layout as a tar file.
func (i *image) write(name string) error {
	folder, err := os.MkdirTemp("", "auspex-image-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	if err := path.AppendIndex(i.index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": i.version})); err != nil {
		return err
	}
	var files []file
	err = fs.WalkDir(os.DirFS(folder), ".", func(p string, d fs.DirEntry, err error) error { // in the order of names
		if err == nil && !d.IsDir() {
			files = append(files, file{name: p, source: filepath.Join(folder, p), mode: 0o644})
		}
		return err
	})
	if err != nil {
		return err
	}
	return create(name, func(w io.Writer) error { return writeTar(w, i.time, files) })
}
