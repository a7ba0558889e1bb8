// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"errors"
	"fmt"
	"time"
)

// Limits bounds what clients may send and do. Receivers use the same keys for
// the same limits. A limit that is 0 by default does not apply to a receiver.
type Limits struct {
	// Concurrency is the number of connections or requests that are served at once.
	Concurrency int `mapstructure:"concurrency"`
	// ConcurrencyPerClient is the number of them that one address may have.
	ConcurrencyPerClient int `mapstructure:"concurrency_per_client"`
	// Wait is the time for which a connection or request waits until the two limits above allow it. 0: it is refused at once.
	Wait time.Duration `mapstructure:"wait"`
	// MemoryBytes is the memory for everything that was received and is not yet in the pipeline, as estimated from its size and its values.
	MemoryBytes int `mapstructure:"memory_bytes"`
	// DecompressedBytes is the size that a request or a compressed frame may expand to.
	DecompressedBytes int `mapstructure:"decompressed_bytes"`
	// Items is the number of events, documents, or points in a window or request.
	Items int `mapstructure:"items"`
	// ItemBytes is the size of one event or document.
	ItemBytes int `mapstructure:"item_bytes"`
	// Fields is the number of keys of an event, or of labels of a series.
	Fields int `mapstructure:"fields"`
	// FieldBytes is the size of a field's name or value.
	FieldBytes int `mapstructure:"field_bytes"`
	// Values is the number of values in one item: those of a JSON document, or the buckets of a native histogram.
	Values int `mapstructure:"values"`
	// Depth is the number of levels to which objects and lists in one item may be nested.
	Depth int `mapstructure:"depth"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Check returns an error that names every key out of its range. Its argument is
// the receiver's default, in which limits that do not apply are 0.
func (l Limits) Check(defaults Limits) error {
	var errs []error
	if l.Wait < 0 {
		errs = append(errs, fmt.Errorf("limits::wait: is %v, it must not be negative", l.Wait))
	}
	for _, n := range []struct {
		key          string
		value, usual int
	}{
		{"concurrency", l.Concurrency, defaults.Concurrency},
		{"concurrency_per_client", l.ConcurrencyPerClient, defaults.ConcurrencyPerClient},
		{"memory_bytes", l.MemoryBytes, defaults.MemoryBytes},
		{"decompressed_bytes", l.DecompressedBytes, defaults.DecompressedBytes},
		{"items", l.Items, defaults.Items},
		{"item_bytes", l.ItemBytes, defaults.ItemBytes},
		{"fields", l.Fields, defaults.Fields},
		{"field_bytes", l.FieldBytes, defaults.FieldBytes},
		{"values", l.Values, defaults.Values},
		{"depth", l.Depth, defaults.Depth},
	} {
		switch {
		case n.usual == 0 && n.value != 0:
			errs = append(errs, fmt.Errorf("limits::%s: does not apply to this receiver, remove the key", n.key))
		case n.usual != 0 && n.value < 1:
			errs = append(errs, fmt.Errorf("limits::%s: is %d, it must be at least 1", n.key, n.value))
		}
	}
	return errors.Join(errs...)
}

// Chunk bounds what a receiver passes to the pipeline at once. A larger window or
// request is passed in several chunks.
type Chunk struct {
	// Items is the number of events or documents in a chunk.
	Items int `mapstructure:"items"`
	// Bytes ends a chunk when its items, as they were sent, have this size.
	Bytes int `mapstructure:"bytes"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Check returns an error that names every key out of its range.
func (c Chunk) Check() error {
	var errs []error
	if c.Items < 1 {
		errs = append(errs, fmt.Errorf("chunk::items: is %d, it must be at least 1", c.Items))
	}
	if c.Bytes < 1 {
		errs = append(errs, fmt.Errorf("chunk::bytes: is %d, it must be at least 1", c.Bytes))
	}
	return errors.Join(errs...)
}
