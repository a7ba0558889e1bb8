// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
)

// Provider is implemented by the extension that owns an engine.
type Provider interface {
	// Engine returns the engine. It is the same from the extension's creation to its end.
	Engine() *Engine
}

var sharedDefault struct {
	mu     sync.Mutex
	engine *Engine
}

// Find returns the engine of the host's one extension that provides one, or,
// where none does, an engine with default settings that the whole process
// shares and that is not kept on disk. It returns an error if several provide one.
func Find(host component.Host, logger *zap.Logger) (*Engine, error) {
	var found *Engine
	for id, ext := range host.GetExtensions() {
		p, ok := ext.(Provider)
		if !ok {
			continue
		}
		if found != nil && found != p.Engine() {
			return nil, fmt.Errorf("service::extensions names several anomaly engines, %q among them: keep one", id)
		}
		found = p.Engine()
	}
	if found != nil {
		return found, nil
	}
	sharedDefault.mu.Lock()
	defer sharedDefault.mu.Unlock()
	if sharedDefault.engine == nil {
		sharedDefault.engine = New(DefaultConfig(), logger)
		sharedDefault.engine.clock = time.Now
		logger.Warn("no anomaly_engine extension is configured: using a shared default engine whose state is lost when the collector stops")
	}
	return sharedDefault.engine, nil
}

// errClaimed is returned to a second findings receiver.
var errClaimed = errors.New("another findings receiver already takes them: use one findings receiver, in as many pipelines as you like")
