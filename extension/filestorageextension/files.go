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

// files wraps contrib's extension. It examines each file before contrib's extension opens it.
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

// examine moves a damaged file aside. It returns an error if the file cannot or must not be
// opened.
func (f *files) examine(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // contrib's extension creates it
	}
	if err == nil && info.Size() == 0 {
		f.logger.Warn("The storage file is empty. Any previous content is lost, for example because of a power failure", zap.String("file", path))
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: cannot read %s: %w", f.key(), path, err)
	}
	result, err := probe.File(ctx, path, f.cfg.Timeout)
	if err != nil {
		f.logger.Warn("Cannot examine the storage file; it is opened without a check", zap.String("file", path), zap.Error(err))
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
		return fmt.Errorf("%s: %s is damaged (%s): set recreate to true to move it aside, or remove it", f.key(), path, reason)
	}
	aside := path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000Z")
	if err := os.Rename(path, aside); err != nil {
		return fmt.Errorf("%s: %s is damaged (%s) and cannot be moved aside; remove it: %w", f.key(), path, reason, err)
	}
	f.logger.Error("The storage file is damaged. It was moved aside and replaced by an empty file. Its content is neither restored nor sent",
		zap.String("file", path), zap.String("moved_to", aside), zap.String("reason", reason))
	return nil
}

// key returns the configuration path of the folder.
func (f *files) key() string { return "extensions::" + f.id.String() + "::directory" }
