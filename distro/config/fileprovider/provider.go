// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package fileprovider

import (
	"context"
	"path/filepath"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.uber.org/zap"
)

type provider struct {
	confmap.Provider
	logger *zap.Logger
}

// NewFactory returns the factory of the provider.
func NewFactory() confmap.ProviderFactory {
	return confmap.NewProviderFactory(func(set confmap.ProviderSettings) confmap.Provider {
		p := provider{Provider: fileprovider.NewFactory().Create(set), logger: set.Logger}
		if p.logger == nil {
			p.logger = zap.NewNop()
		}
		return p
	})
}

// Retrieve reads the file. Messages that are logged before the collector has its own logger appear in its log, or
// with the error if it never gets a logger.
func (p provider) Retrieve(ctx context.Context, uri string, watch confmap.WatcherFunc) (*confmap.Retrieved, error) {
	path := strings.TrimPrefix(uri, p.Scheme()+":")
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	p.logger.Info("reading configuration", zap.String("file", path))
	return p.Provider.Retrieve(ctx, uri, watch)
}
