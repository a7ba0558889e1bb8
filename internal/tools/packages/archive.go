// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"time"
)

// writeTarGz writes the files in their order, with one time, and as root's.
func writeTarGz(w io.Writer, at time.Time, files []file) error {
	z := gzip.NewWriter(w)
	return errors.Join(writeTar(z, at, files), z.Close())
}

func writeTar(w io.Writer, at time.Time, files []file) error {
	t := tar.NewWriter(w)
	for _, f := range files {
		if err := f.open(func(r io.Reader, size int64) error {
			if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: int64(f.mode), Size: size, ModTime: at, Format: tar.FormatUSTAR}); err != nil {
				return err
			}
			_, err := io.Copy(t, r)
			return err
		}); err != nil {
			return err
		}
	}
	return t.Close()
}

// writeZip writes the files in their order, with one time.
func writeZip(w io.Writer, at time.Time, files []file) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		if err := f.open(func(r io.Reader, _ int64) error {
			h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at}
			h.SetMode(f.mode)
			entry, err := z.CreateHeader(h)
			if err != nil {
				return err
			}
			_, err = io.Copy(entry, r)
			return err
		}); err != nil {
			return err
		}
	}
	return z.Close()
}

// open passes the content and its size in bytes to read.
func (f file) open(read func(r io.Reader, size int64) error) error {
	source, err := os.Open(f.source)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	return read(source, info.Size())
}
