// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Draws a dashboard from the responses of the real backends, with @grafana/ui. window.draw returns what each panel shows.
// State timelines, node graphs, and logs are in no package: their data is drawn as tables.
import "uplot/dist/uPlot.min.css";
import React from "react";
import { createRoot } from "react-dom/client";
import { lastValueFrom } from "rxjs";
import {
  applyFieldOverrides, createTheme, dateTime, FieldConfigOptionsRegistry, getDisplayValueAlignmentFactors, getFieldDisplayName, getFieldDisplayValues,
  standardTransformers, standardTransformersRegistry, ThemeContext, transformDataFrame, VizOrientation,
} from "@grafana/data";
import { BarGauge, BigValue, GlobalStyles, PanelChrome, TimeSeries } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { frames } from "./frames.js";

const theme = createTheme({ colors: { mode: "dark" } });
const transformers = new Map(Object.values(standardTransformers).map((t) => [t.id, t])); // some have two names
standardTransformersRegistry.setInit(() => [...transformers.values()].map((t) => ({ id: t.id, name: t.name, transformation: () => Promise.resolve(t), editor: () => null })));

// registry knows the settings that overrides may change.
const registry = new FieldConfigOptionsRegistry();
const setting = (id, isCustom) => registry.register({ id: isCustom ? "custom." + id : id, path: id, name: id, isCustom, process: (v) => v, shouldApply: () => true });
for (const id of ["color", "unit", "decimals", "displayName", "min", "max", "noValue", "thresholds", "mappings", "links"]) setting(id, false);
for (const id of ["lineWidth", "fillOpacity", "fillBelowTo", "lineStyle", "showPoints", "spanNulls", "drawStyle", "axisPlacement", "lineInterpolation", "pointSize",
  "stacking", "thresholdsStyle", "width", "cellOptions", "hidden", "align", "inspect", "wrapText"]) setting(id, true);

const defaults = {
  timeseries: { drawStyle: "line", lineInterpolation: "linear", axisPlacement: "auto", showPoints: "auto", pointSize: 5, fillOpacity: 0, lineWidth: 1, spanNulls: false, stacking: { mode: "none", group: "A" } },
  table: { align: "auto", cellOptions: { type: "auto" }, inspect: false },
};

async function prepare(panel, responses) {
  for (const { id } of panel.transformations ?? []) if (!transformers.has(id)) throw new Error("unknown transformation " + id);
  const transformed = await lastValueFrom(transformDataFrame(panel.transformations ?? [], frames(responses), { interpolate: (s) => s }));
  const config = panel.fieldConfig ?? { defaults: {}, overrides: [] };
  const stacking = config.defaults.custom?.stacking;
  const custom = { ...defaults[panel.type], ...config.defaults.custom, ...(stacking ? { stacking: { group: "A", ...stacking } } : {}) };
  const unknown = (config.overrides ?? []).flatMap((o) => o.properties.map((p) => p.id)).filter((id) => !registry.getIfExists(id));
  if (unknown.length) throw new Error("overrides of unknown settings: " + unknown);
  return applyFieldOverrides({
    data: transformed, fieldConfig: { defaults: { ...config.defaults, custom }, overrides: config.overrides ?? [] },
    theme, replaceVariables: (s) => s, timeZone: "utc", fieldConfigRegistry: registry,
  });
}

const values = (panel, data) => getFieldDisplayValues({
  fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: (s) => s, theme, data, timeZone: "utc",
});

function Bars({ list, panel, width, height }) {
  const factors = getDisplayValueAlignmentFactors(list);
  const gap = 8, each = Math.min(40, (height - gap * (list.length - 1)) / list.length);
  return <div style={{ display: "flex", flexDirection: "column", gap }}>{list.map((v, i) =>
    <BarGauge key={i} width={width} height={each} value={v.display} field={v.field} display={v.view?.getFieldDisplayProcessor(v.colIndex)} theme={theme} alignmentFactors={factors}
      orientation={VizOrientation.Horizontal} displayMode={panel.options.displayMode} itemSpacing={gap} lcdCellWidth={12} />)}</div>;
}

const Lines = ({ frame, height }) => {
  const field = (name) => frame.fields.find((f) => f.name === name)?.values ?? [];
  return <pre style={{ height, overflow: "hidden", margin: 0, fontSize: 12, lineHeight: 1.5 }}>{field("body.text").map((line, i) =>
    new Date(field("@timestamp")[i]).toISOString().slice(11, 19) + "  " + (field("severity_text")[i] ?? "").padEnd(5) + "  " + line).join("\n")}</pre>;
};

// ranges returns the times in which each series of a state timeline was at its states.
const ranges = (data) => <pre style={{ margin: 0, fontSize: 12, lineHeight: 1.6 }}>{data.map((f) => {
  const [time, value] = f.fields, runs = [];
  value.values.forEach((v, i) => (runs.at(-1)?.v === v ? (runs.at(-1).to = time.values[i]) : runs.push({ v, from: time.values[i], to: time.values[i] })));
  const clock = (t) => new Date(t).toISOString().slice(11, 16);
  return getFieldDisplayName(value, f, data).padEnd(16) + runs.map((r) => `${clock(r.from)}–${clock(r.to)}: ${r.v}`).join("   ");
}).join("\n")}</pre>;

function Content({ panel, data, range, width, height }) {
  switch (panel.type) {
    case "timeseries":
      return <TimeSeries frames={data} width={width} height={height} timeRange={range} timeZone="utc" legend={{ ...panel.options.legend, calcs: [] }} options={{}} />;
    case "stat": {
      const [v] = values(panel, data);
      return <BigValue width={width} height={height} value={v.display} colorMode={panel.options.colorMode} graphMode={panel.options.graphMode} justifyMode="auto" textMode="auto" theme={theme} />;
    }
    case "bargauge":
      return <Bars list={values(panel, data)} panel={panel} width={width} height={height} />;
    case "table":
      return <TableNG data={data[0]} width={width} height={height} />;
    case "logs":
      return <Lines frame={data[0]} height={height} />;
    case "state-timeline":
      return ranges(data);
    case "nodeGraph":
      return <div style={{ display: "flex", gap: 16 }}>{data.map((f) => <TableNG key={f.refId} data={f} width={(width - 16) / 2} height={height} />)}</div>;
    default:
      throw new Error("no drawing for " + panel.type);
  }
}

class Boundary extends React.Component {
  constructor(props) { super(props); this.state = {}; }
  static getDerivedStateFromError(error) { return { error }; }
  componentDidCatch(error) { window.problems.push(this.props.title + ": " + error.message); }
  render() { return this.state.error ? <pre style={{ color: "red" }}>{String(this.state.error)}</pre> : this.props.children; }
}

// shown lists the fields of a panel with their number of values and their last value as text.
const shown = (data) => data.flatMap((f) => f.fields.map((field) => {
  const last = field.values.at(-1);
  return { name: getFieldDisplayName(field, f, data), rows: field.values.length, last: last == null ? "" : String(field.display?.(last).text ?? last), links: (field.config.links ?? []).length };
}));

const cell = 30, columns = 24, screen = 1440;

window.problems = [];
window.addEventListener("error", (e) => window.problems.push(e.message));
window.draw = async ({ title, from, to, panels }) => {
  const range = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };
  const drawn = [];
  for (const { panel, responses } of panels) {
    const data = await prepare(panel, responses);
    drawn.push({ panel, data });
  }
  const bottom = Math.max(...panels.map(({ panel: { gridPos: g } }) => g.y + g.h));
  const unit = screen / columns;
  createRoot(document.getElementById("root")).render(<ThemeContext.Provider value={theme}><GlobalStyles />
    <div style={{ background: theme.colors.background.canvas, position: "relative", width: screen, height: bottom * cell + 40 }}>
      <div style={{ padding: "8px 12px", fontSize: 18 }}>{title}</div>
      {drawn.map(({ panel, data }) => { const g = panel.gridPos; return (
        <div key={panel.id} style={{ position: "absolute", left: g.x * unit + 4, top: g.y * cell + 40, width: g.w * unit - 8, height: g.h * cell - 8 }}>
          <PanelChrome title={panel.title} width={g.w * unit - 8} height={g.h * cell - 8}>{(width, height) =>
            <Boundary title={panel.title}><Content panel={panel} data={data} range={range} width={width} height={height} /></Boundary>}</PanelChrome>
        </div>); })}
    </div></ThemeContext.Provider>);
  return drawn.map(({ panel, data }) => ({ title: panel.title, type: panel.type, fields: shown(data) }));
};
