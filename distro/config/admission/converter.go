// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/conftree"
	"github.com/auspex-otel/auspex/internal/memory"
)

const (
	limiter  = "request_limiter"
	receiver = "otlp"
)

type converter struct {
	logger *zap.Logger
	root   fs.FS
}

// NewFactory returns the factory of the converter.
func NewFactory() confmap.ConverterFactory {
	return confmap.NewConverterFactory(func(set confmap.ConverterSettings) confmap.Converter {
		c := converter{logger: set.Logger, root: os.DirFS("/")}
		if c.logger == nil {
			c.logger = zap.NewNop()
		}
		return c
	})
}

// Convert adds the middleware to the protocols of OTLP receivers without middlewares, and the extension unless the
// configuration has one. "middlewares: []" leaves a protocol unchanged.
func (c converter) Convert(_ context.Context, conf *confmap.Conf) error {
	all := conf.ToStringMap()
	open := unprotected(conftree.Section(all, "receivers"))
	if len(open) == 0 {
		return nil
	}
	extensions, _ := conftree.Section(all, "service")["extensions"].([]any)
	id := limiter
	if i := slices.IndexFunc(extensions, func(id any) bool { return conftree.Kind(fmt.Sprint(id)) == limiter }); i >= 0 {
		id = fmt.Sprint(extensions[i])
	} else {
		extensions = append(slices.Clone(extensions), id)
	}
	added := map[string]any{"service": map[string]any{"extensions": extensions}}
	if _, configured := conftree.Section(all, "extensions")[id]; !configured {
		settings := map[string]any{}
		if bytes, _ := memory.Available(all, c.root); bytes > 0 {
			settings["limit_mib"] = int(bytes >> 20)
		}
		added["extensions"] = map[string]any{id: settings}
	}
	receivers := map[string]any{}
	var keys []string
	for _, at := range slices.Sorted(maps.Keys(open)) {
		protocols := map[string]any{}
		for _, protocol := range open[at] {
			protocols[protocol] = map[string]any{"middlewares": []any{map[string]any{"id": id}}}
			keys = append(keys, "receivers::"+at+"::protocols::"+protocol)
		}
		receivers[at] = map[string]any{"protocols": protocols}
	}
	added["receivers"] = receivers
	c.logger.Info("Requests are limited by their estimated memory before they are decoded. Set middlewares to override this",
		zap.Strings("keys", keys), zap.String("extension", id))
	return conf.Merge(confmap.NewFromStringMap(added))
}

// unprotected returns the protocols without the key middlewares, by the id of their OTLP receiver.
func unprotected(receivers map[string]any) map[string][]string {
	found := map[string][]string{}
	for id := range receivers {
		if conftree.Kind(id) != receiver {
			continue
		}
		protocols := conftree.Section(receivers, id, "protocols")
		for _, protocol := range slices.Sorted(maps.Keys(protocols)) {
			if _, stated := conftree.Section(protocols, protocol)["middlewares"]; !stated {
				found[id] = append(found[id], protocol)
			}
		}
	}
	return found
}
