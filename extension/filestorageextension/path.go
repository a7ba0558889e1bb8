// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package filestorageextension

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"go.opentelemetry.io/collector/component"
)

// pathOf returns the path of a component's file in contrib's extension: kind, type, and names
// with unsafe characters escaped, or a hash if the name is too long for the file system. A test
// compares the two.
func pathOf(directory string, kind component.Kind, id component.ID, name string) (string, error) {
	raw := fmt.Sprintf("%s_%s_%s", strings.ToLower(kind.String()), id.Type(), id.Name())
	if name != "" {
		raw += "_" + name
	}
	var escaped strings.Builder
	for _, c := range raw {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' {
			escaped.WriteRune(c)
		} else {
			fmt.Fprintf(&escaped, "~%04X", c)
		}
	}
	path := filepath.Join(directory, escaped.String())
	switch _, err := os.Stat(path); {
	case errors.Is(err, syscall.ENAMETOOLONG):
		sum := sha256.Sum256([]byte(escaped.String()))
		return filepath.Join(directory, hex.EncodeToString(sum[:])), nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	return path, nil
}
