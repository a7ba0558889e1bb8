// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package filestorageextension

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/extension/filestorageextension/internal/probe"
)

// files is contrib's extension. It examines each file before contrib's opens it.
type files struct {
	storage.Extension
	id     component.ID
	cfg    *Config
	logger *zap.Logger
}

// GetClient opens the file of a component.
func (f *files) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	path, err := pathOf(f.cfg.Directory, kind, id, name)
	if err != nil {
		return nil, err
	}
	if err := f.examine(ctx, path); err != nil {
		return nil, err
	}
	client, err := f.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot open %s: %w", f.key(), path, err)
	}
	return &guarded{inner: client, path: path}, nil
}

// examine moves the file aside if it is damaged, and returns an error if it cannot
// or must not be opened.
func (f *files) examine(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // Contrib's extension creates it.
	}
	if err == nil && info.Size() == 0 {
		f.logger.Warn("A file is empty: if it held anything before, that is lost, for example after a power failure", zap.String("file", path))
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: cannot read %s: %w", f.key(), path, err)
	}
	result, err := probe.File(ctx, path, f.cfg.Timeout)
	if err != nil {
		f.logger.Warn("A file could not be examined before it is opened", zap.String("file", path), zap.Error(err))
		return nil
	}
	switch result.Verdict {
	case probe.InUse:
		return fmt.Errorf("%s: the folder %s is in use by %s, which has locked %s: end that process, or set another folder",
			f.key(), f.cfg.Directory, holder(path), path)
	case probe.Damaged:
		return f.moveAside(path, result.Reason)
	}
	return nil
}

func (f *files) moveAside(path, reason string) error {
	if !f.cfg.Recreate {
		return fmt.Errorf("%s: %s is damaged (%s): set recreate to true to have it moved aside, or remove it", f.key(), path, reason)
	}
	aside := path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000Z")
	if err := os.Rename(path, aside); err != nil {
		return fmt.Errorf("%s: %s is damaged (%s) and cannot be moved aside; remove it: %w", f.key(), path, reason, err)
	}
	f.logger.Error("A file is damaged. It was moved aside, and an empty one takes its place: what it held is not restored, and is not sent",
		zap.String("file", path), zap.String("moved_to", aside), zap.String("reason", reason))
	return nil
}

// key returns the place of the folder in the configuration.
func (f *files) key() string { return "extensions::" + f.id.String() + "::directory" }
