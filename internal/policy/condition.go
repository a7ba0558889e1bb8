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

// identity lists the paths of the identity of a series. A condition may use only these.
var identity = map[string][]string{
	"resource":              {"attributes"},
	"scope":                 {"attributes", "name", "version"},
	"instrumentation_scope": {"attributes", "name", "version"},
	"metric":                {"name", "unit", "type"},
	"datapoint":             {"attributes"},
}

// functions returns OTTL's converters without those that are not deterministic.
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

// identityOnly is a path parser that rejects all paths outside the identity of a series. Its
// results are never read.
func identityOnly(path ottl.Path[target]) (ottl.GetSetter[target], error) {
	group, field := "datapoint", path
	if _, ok := identity[path.Name()]; ok {
		group, field = path.Name(), path.Next()
	}
	if field == nil || !slices.Contains(identity[group], field.Name()) {
		return nil, fmt.Errorf("%s does not identify a series: a condition may use attributes of resource, scope, and data point, "+
			"scope.name, scope.version, metric.name, metric.unit, and metric.type", path)
	}
	for ; field != nil; field = field.Next() {
		field.Keys() // OTTL reports unread keys as errors
	}
	return ottl.StandardGetSetter[target]{}, nil
}

// matches reports whether the condition is true for a series. A condition that cannot be
// evaluated, such as a comparison of a number with a map, is false, and logged once.
func (c *condition) matches(ctx context.Context, t target) bool {
	ok, err := c.ottl.Eval(ctx, t)
	if err != nil && !c.failed {
		c.failed = true
		c.logger.Warn("Cannot evaluate the condition of a policy for a series; the policy does not apply to it. Correct the condition", zap.Stringer("where", c.ottl), zap.Error(err))
	}
	return ok && err == nil
}

// targetOf returns the target of conditions: a copy of a series' identity. The caller must close
// it.
func targetOf(resource pcommon.Resource, scope pcommon.InstrumentationScope, metric pmetric.Metric, attributes pcommon.Map) target {
	rm, sm, dp := pmetric.NewResourceMetrics(), pmetric.NewScopeMetrics(), pmetric.NewNumberDataPoint()
	resource.CopyTo(rm.Resource())
	scope.CopyTo(sm.Scope())
	attributes.CopyTo(dp.Attributes())
	return ottldatapoint.NewTransformContextPtr(rm, sm, metric, dp)
}
