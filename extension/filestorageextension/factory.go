// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package filestorageextension

import (
	"context"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/auspex-otel/auspex/extension/filestorageextension/internal/metadata"
)

// Config is the configuration of contrib's extension.
type Config = filestorage.Config

// NewFactory returns the factory of the file_storage extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, filestorage.NewFactory().CreateDefaultConfig, create, metadata.ExtensionStability)
}

func create(ctx context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	inner, err := filestorage.NewFactory().Create(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	return &files{Extension: inner.(storage.Extension), id: set.ID, cfg: cfg.(*Config), logger: set.Logger}, nil
}
