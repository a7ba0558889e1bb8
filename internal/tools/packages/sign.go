// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// sums is the file of the checksums, in the format of sha256sum. Its signature covers all files.
const sums = "SHA256SUMS"

// writeBill writes the modules in a program as a software bill of materials.
func (r release) writeBill(ctx context.Context, program, name string) error {
	cmd := exec.CommandContext(ctx, "go", "tool", "cyclonedx-gomod", "bin", //nolint:gosec // the names are those of this program
		"-json", "-noserial", "-notimestamp", "-std", "-version", "v"+r.version, "-output", name, program)
	cmd.Dir = filepath.Join(r.root, "internal", "tools", "packages")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cyclonedx-gomod: %w\n%s", err, out)
	}
	return nil
}

// sign writes the checksums of all files in a folder, their signature by a new key (ECDSA P-256, ASN.1 DER), and the
// public key.
func sign(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var list bytes.Buffer
	for _, e := range entries {
		digest := sha256.New()
		f := file{source: filepath.Join(folder, e.Name())}
		if err := f.open(func(r io.Reader, _ int64) error {
			_, err := io.Copy(digest, r)
			return err
		}); err != nil {
			return err
		}
		fmt.Fprintf(&list, "%x  %s\n", digest.Sum(nil), e.Name())
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(list.Bytes())
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	write := func(suffix string, content []byte) error {
		return create(filepath.Join(folder, sums+suffix), func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		})
	}
	return errors.Join(write("", list.Bytes()), write(".sig", signature),
		write(".pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})))
}
