// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/charts"
	"github.com/auspex-otel/auspex/internal/series"
)

const (
	// saveEvery is the interval at which the chart history is written, expireEvery that at which old points are dropped.
	saveEvery, expireEvery = 10 * time.Minute, time.Minute
	// manifestKey is the key of the manifest: how many chunks the latest complete set has, after the letter of the set.
	manifestKey = "manifest"
	// maxChunks bounds the chunks that are read.
	maxChunks = 1 << 16
)

// keeper keeps the chart history on disk. There are two sets of chunks, a and b, which
// are written in turn; the manifest is written last and names the complete one.
type keeper struct {
	store  *charts.Store
	client storage.Client // nil if nothing is kept
	set    string         // that was written last
	logger *zap.Logger
}

// open opens the storage and restores the history. What is damaged is left out, logged, and written over.
func (k *keeper) open(ctx context.Context, host component.Host, id component.ID, in *component.ID) error {
	if in == nil {
		return nil
	}
	ext, ok := host.GetExtensions()[*in].(storage.Extension)
	if !ok {
		return fmt.Errorf("%q is no storage extension, or is not in service::extensions", in)
	}
	client, err := ext.GetClient(ctx, component.KindExtension, id, "")
	if err != nil {
		return fmt.Errorf("open %q: %w", in, err)
	}
	k.client = client
	if err := k.restore(ctx); err != nil {
		k.logger.Warn("a part of the chart history could not be read: charts begin later", zap.Error(err))
	}
	return nil
}

func (k *keeper) restore(ctx context.Context) error {
	manifest, err := k.client.Get(ctx, manifestKey)
	if err != nil || len(manifest) == 0 {
		return err
	}
	k.set = string(manifest[:1])
	n, err := strconv.Atoi(string(manifest[1:]))
	if err != nil || n < 0 || n > maxChunks || k.set != "a" && k.set != "b" {
		k.set = ""
		return fmt.Errorf("the manifest is %q, which no collector writes", manifest)
	}
	var errs []error
	for i := range n {
		chunk, err := k.client.Get(ctx, k.set+strconv.Itoa(i))
		if err == nil {
			err = k.store.Restore(chunk)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("chunk %d of %d: %w", i+1, n, err))
		}
	}
	return errors.Join(errs...)
}

// save writes the history.
func (k *keeper) save(ctx context.Context) error {
	if k.client == nil {
		return nil
	}
	set, n := "a", 0
	if k.set == set {
		set = "b"
	}
	for chunk := range k.store.Chunks {
		if err := k.client.Set(ctx, set+strconv.Itoa(n), chunk); err != nil {
			return fmt.Errorf("write the chart history: %w", err)
		}
		n++
	}
	if err := k.client.Set(ctx, manifestKey, []byte(set+strconv.Itoa(n))); err != nil {
		return fmt.Errorf("write the chart history: %w", err)
	}
	k.set = set
	return nil
}

func (k *keeper) close(ctx context.Context) error {
	if k.client == nil {
		return nil
	}
	return errors.Join(k.save(ctx), k.client.Close(ctx))
}

// parseSeries reads the identity of a series.
func parseSeries(text string) (series.ID, error) {
	n, err := strconv.ParseUint(text, 16, 64)
	if err != nil || len(text) != 16 {
		return 0, badRequest("%q is not the identity of a series: it has 16 hexadecimal digits", text)
	}
	return series.ID(n), nil
}
