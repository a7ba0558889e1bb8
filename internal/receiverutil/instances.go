// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
)

// Instances holds the components that several pipelines share, by their
// configuration. The zero value is empty.
type Instances[C component.Component] struct {
	mu sync.Mutex
	by map[component.Config]*Instance[C]
}

// Instance is a component that is started and stopped once for any number of pipelines.
type Instance[C component.Component] struct {
	// Component is the shared component.
	Component C

	forget      func()
	start, stop sync.Once
	err         error
}

// Get returns the instance for a configuration, which is a pointer, and creates it if there is none.
func (i *Instances[C]) Get(cfg component.Config, create func() (C, error)) (*Instance[C], error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if in, ok := i.by[cfg]; ok {
		return in, nil
	}
	c, err := create()
	if err != nil {
		return nil, err
	}
	in := &Instance[C]{Component: c, forget: func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.by, cfg)
	}}
	if i.by == nil {
		i.by = map[component.Config]*Instance[C]{}
	}
	i.by[cfg] = in
	return in, nil
}

// Start starts the component at the first call. Later calls return the result of the first.
func (in *Instance[C]) Start(ctx context.Context, host component.Host) error {
	in.start.Do(func() { in.err = in.Component.Start(ctx, host) })
	return in.err
}

// Shutdown stops the component at the first call and removes it from its Instances.
func (in *Instance[C]) Shutdown(ctx context.Context) (err error) {
	in.stop.Do(func() {
		err = in.Component.Shutdown(ctx)
		in.forget()
	})
	return err
}
