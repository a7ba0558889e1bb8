// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"fmt"
	"slices"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottldatapoint"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
)

type target = *ottldatapoint.TransformContext

// identity lists the paths that make up the identity of a series. A condition may ask for these alone.
var identity = map[string][]string{
	"resource":              {"attributes"},
	"scope":                 {"attributes", "name", "version"},
	"instrumentation_scope": {"attributes", "name", "version"},
	"metric":                {"name", "unit", "type"},
	"datapoint":             {"attributes"},
}

// functions are OTTL's converters without those that say something else each time.
func functions() map[string]ottl.Factory[target] {
	f := ottlfuncs.StandardConverters[target]()
	for _, name := range [...]string{"Now", "UUID", "UUIDv7"} {
		delete(f, name)
	}
	return f
}

// condition is an OTTL condition on the identity of a series.
type condition struct {
	ottl   *ottl.Condition[target]
	logger *zap.Logger
	failed bool
}

func parseCondition(text string, settings component.TelemetrySettings) (*condition, error) {
	guard, err := ottl.NewParser(functions(), identityOnly, settings,
		ottl.WithEnumParser[target](func(*ottl.EnumSymbol) (*ottl.Enum, error) { return new(ottl.Enum), nil }))
	if err != nil {
		return nil, err
	}
	if _, err := guard.ParseCondition(text); err != nil {
		return nil, err
	}
	parser, err := ottldatapoint.NewParser(functions(), settings)
	if err != nil {
		return nil, err
	}
	c, err := parser.ParseCondition(text)
	if err != nil {
		return nil, err
	}
	return &condition{ottl: c, logger: settings.Logger}, nil
}

// identityOnly is a path parser that refuses every path outside the identity of
// a series. What it returns is never read.
func identityOnly(path ottl.Path[target]) (ottl.GetSetter[target], error) {
	group, field := "datapoint", path
	if _, ok := identity[path.Name()]; ok {
		group, field = path.Name(), path.Next()
	}
	if field == nil || !slices.Contains(identity[group], field.Name()) {
		return nil, fmt.Errorf("%s is no part of what makes a series: a condition may ask for attributes of resource, scope and data point, "+
			"scope.name, scope.version, metric.name, metric.unit and metric.type", path)
	}
	for ; field != nil; field = field.Next() {
		field.Keys() // what is not looked at counts as a mistake
	}
	return ottl.StandardGetSetter[target]{}, nil
}

// matches reports whether the condition holds. Where it can't be told, as of a
// number that is compared with a map, it doesn't, and that is said once.
func (c *condition) matches(ctx context.Context, t target) bool {
	ok, err := c.ottl.Eval(ctx, t)
	if err != nil && !c.failed {
		c.failed = true
		c.logger.Warn("A policy's condition can't be read of a series; there the policy does not hold", zap.Stringer("where", c.ottl), zap.Error(err))
	}
	return ok && err == nil
}

// targetOf is what conditions are read of: a copy of a series' identity. It must be closed.
func targetOf(resource pcommon.Resource, scope pcommon.InstrumentationScope, metric pmetric.Metric, attributes pcommon.Map) target {
	rm, sm, dp := pmetric.NewResourceMetrics(), pmetric.NewScopeMetrics(), pmetric.NewNumberDataPoint()
	resource.CopyTo(rm.Resource())
	scope.CopyTo(sm.Scope())
	attributes.CopyTo(dp.Attributes())
	return ottldatapoint.NewTransformContextPtr(rm, sm, metric, dp)
}
