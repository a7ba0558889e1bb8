// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// TB is the part of testing.TB that the package needs. Measuring programs provide their own.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(f func())
	TempDir() string
}

// FreeAddresses returns n unused loopback addresses.
func FreeAddresses(t TB, n int) []string {
	t.Helper()
	addresses := make([]string, n)
	for i := range addresses {
		// All stay open until the last is found, so that all differ.
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closes at once
		if err != nil {
			t.Fatalf("no free port on 127.0.0.1: %v", err)
		}
		defer l.Close()
		addresses[i] = l.Addr().String()
	}
	return addresses
}

func splitAddress(t TB, address string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	return host, port
}

// Eventually calls try until it returns nil. After within it fails the test with the last error.
// what describes the awaited condition.
func Eventually(t TB, within time.Duration, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s: %v", within, what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Root returns the folder of the repository: the nearest parent of the working folder with a
// go.mod.
func Root(t TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("working folder: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("no go.mod in the working folder or above it: run this inside the repository")
		}
		dir = filepath.Dir(dir)
	}
}

// TestData returns the path of a file in the repository's testdata folder, whose README lists the
// corpora.
func TestData(t TB, elem ...string) string {
	t.Helper()
	return filepath.Join(append([]string{Root(t), "testdata"}, elem...)...)
}

// Markdown returns the Markdown files below root as relative paths with slashes. It skips folders
// that tools write.
func Markdown(t TB, root string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "bin", "out", "node_modules"}, d.Name()):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".md"):
			name, err := filepath.Rel(root, path)
			names = append(names, filepath.ToSlash(name))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatalf("list the documents: %v", err)
	}
	return names
}

// answers returns nil if a GET of url returns 200.
func answers(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err := Get(ctx, url)
	return err
}

// lastLines returns the last n lines of a text, indented.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-n):], "\n  ")
}
