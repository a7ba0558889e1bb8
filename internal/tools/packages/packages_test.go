// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

const root = "../../.."

// testRelease returns a release of this repository, and small stand-ins for its programs.
func testRelease(t *testing.T) (release, []file) {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", "1767225600")
	r, err := newRelease(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	var files []file
	for _, p := range programs {
		f := file{name: p.name, source: filepath.Join(t.TempDir(), p.name), mode: 0o755}
		if err := os.WriteFile(f.source, []byte(strings.Repeat(p.name, 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return r, files
}

// TestSameBytes packs twice, with other times of the source files.
func TestSameBytes(t *testing.T) {
	r, files := testRelease(t)
	pack := func() map[string]string {
		out := t.TempDir()
		p := platforms[0]
		archived, err := r.archived(p, files)
		image := newImage(r)
		err = errors.Join(err, r.writePackages(p, files, out), image.add(p, files), image.write(filepath.Join(out, "image.tar")),
			create(filepath.Join(out, "a.tar.gz"), func(w io.Writer) error { return writeTarGz(w, r.time, archived) }),
			create(filepath.Join(out, "a.zip"), func(w io.Writer) error { return writeZip(w, r.time, archived) }))
		if err != nil {
			t.Fatal(err)
		}
		sums := map[string]string{}
		entries, _ := os.ReadDir(out)
		for _, e := range entries {
			content, _ := os.ReadFile(filepath.Join(out, e.Name()))
			sums[e.Name()] = fmt.Sprintf("%x", sha256.Sum256(content))
		}
		return sums
	}
	one := pack()
	for _, f := range files {
		if err := os.Chtimes(f.source, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	two := pack()
	if len(one) != 5 {
		t.Errorf("files: %v", one)
	}
	for name, sum := range one {
		if two[name] != sum {
			t.Errorf("%s has other bytes the second time", name)
		}
	}
}

func TestArchives(t *testing.T) {
	r, files := testRelease(t)
	archived, err := r.archived(platform{"linux", "amd64"}, files)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := writeTarGz(&b, r.time, archived); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for reader := tar.NewReader(z); ; {
		h, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || h.Uid != 0 || !h.ModTime.Equal(r.time) {
			t.Fatalf("%+v, %v", h, err)
		}
		_, name, _ := strings.Cut(h.Name, "/")
		names = append(names, fmt.Sprintf("%s %o", name, h.Mode))
	}
	for _, want := range []string{"LICENSE 644", "README.md 644", "otelcol-auspex 755", "auspex 755", "auspex-demo 755", "config/agent.yaml 644", "config/gateway.yaml 644"} {
		if !slices.Contains(names, want) {
			t.Errorf("%q is not in %q", want, names)
		}
	}
	b.Reset()
	if err := writeZip(&b, r.time, archived); err != nil {
		t.Fatal(err)
	}
	zipped, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(zipped.File) != len(names) {
		t.Errorf("%v, %v", zipped, err)
	}
}

func TestImage(t *testing.T) {
	r, files := testRelease(t)
	image := newImage(r)
	for _, p := range platforms[:2] {
		if err := image.add(p, files); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "image.tar")
	if err := image.write(name); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	untar(t, name, folder)
	path, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	top, err := path.IndexManifest()
	if err != nil || len(top.Manifests) != 1 {
		t.Fatalf("%+v, %v", top, err)
	}
	index, err := path.ImageIndex(top.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 2 {
		t.Fatalf("%+v, %v", manifest, err)
	}
	for i, m := range manifest.Manifests {
		one, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := one.ConfigFile()
		if err != nil || config.Architecture != platforms[i].arch || config.Config.User != "65532:65532" || !m.Platform.Equals(v1.Platform{OS: "linux", Architecture: platforms[i].arch}) {
			t.Errorf("%+v, %v", config, err)
		}
	}
	checkLayer(t, image, files)
	if roots := certificates(); bytes.Count(roots, []byte("BEGIN CERTIFICATE")) < 50 || !x509.NewCertPool().AppendCertsFromPEM(roots) {
		t.Error("too few certificate authorities")
	}
}

// checkLayer checks the files of a layer, their owners, and that the archive is complete.
func checkLayer(t *testing.T, i *image, programs []file) {
	t.Helper()
	content, err := i.layer(programs)
	if err != nil || !bytes.HasSuffix(content, make([]byte, 1024)) {
		t.Fatalf("the layer has no end: %v", err)
	}
	owners := map[string]int{}
	for reader := tar.NewReader(bytes.NewReader(content)); ; {
		h, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		owners[h.Name] = h.Uid
	}
	for name, owner := range map[string]int{"usr/bin/otelcol-auspex": 0, "usr/bin/auspex": 0, "etc/passwd": 0, imageRoots: 0, imageZones: 0, imageState + "/": imageUser} {
		if got, ok := owners[name]; !ok || got != owner {
			t.Errorf("%s: owner %d, present %t, want owner %d", name, got, ok, owner)
		}
	}
}

func untar(t *testing.T, name, folder string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for reader := tar.NewReader(f); ; {
		h, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		target := filepath.Join(folder, filepath.FromSlash(h.Name))
		if err = errors.Join(err, os.MkdirAll(filepath.Dir(target), 0o750), os.WriteFile(target, content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSignature(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "a"), []byte("a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sign(folder); err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	list := read("SHA256SUMS")
	if want := "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7  a\n"; string(list) != want {
		t.Errorf("%q, want %q", list, want)
	}
	block, _ := pem.Decode(read("SHA256SUMS.pub"))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(list)
	if !ecdsa.VerifyASN1(key.(*ecdsa.PublicKey), digest[:], read("SHA256SUMS.sig")) {
		t.Error("the signature is not valid")
	}
}

func TestUsage(t *testing.T) {
	for line, want := range map[string]string{
		"-platforms plan9/amd64":         `"plan9/amd64" is not one of`,
		"now":                            `unexpected argument "now"`,
		"-no-such-flag":                  "flag provided but not defined",
		"-root /nonexistent -out /no/op": "set -root to the folder of the repository",
	} {
		var errs bytes.Buffer
		code := run(t.Context(), strings.Fields(line), &errs)
		if wanted := map[bool]int{true: exitFailed, false: exitUsage}[strings.HasPrefix(line, "-root")]; code != wanted || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: exit code %d, %s", line, code, &errs)
		}
	}
}
