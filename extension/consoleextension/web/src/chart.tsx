// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

/** Charts of series, drawn by uPlot. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Columns } from "./columns.ts";
import { outside, range } from "./columns.ts";
import { date, quantity, time } from "./format.ts";
import { useShared } from "./state.tsx";

interface Props {
  of: Columns;
  unit: string;
  statistic: string;
  label: string;
  height?: number;
  /** Times of the chart's ends, seconds; those of the points unless stated. */
  from?: number | undefined;
  to?: number | undefined;
  /** When an anomaly opened, seconds. */
  opened?: number | undefined;
  /** Values of an earlier time at the times of the points. */
  earlier?: (number | null)[] | undefined;
  earlierLabel?: string | undefined;
  /** Draw the score in place of the value. */
  score?: boolean;
}

/** Resolves a color of the style sheet for the canvas. */
function color(at: Element, name: string): string {
  const probe = document.createElement("i");
  probe.className = "probe " + name;
  at.append(probe);
  const c = getComputedStyle(probe).color;
  probe.remove();
  return c;
}

const clear = (c: string, share: number): string => c.replace(/^rgb\((.*)\)$/, "rgba($1, " + share + ")");

/** A chart of a value with what was expected of it, or of a score. */
export function Chart(p: Props) {
  const at = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { theme, zone } = useShared();
  const height = p.height ?? 220;

  useEffect(() => {
    const box = at.current!;
    const build = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(box, p, height, zone), data(p), box);
    };
    build();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const size = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(100, box.clientWidth), height }));
    size.observe(box);
    dark.addEventListener("change", build);
    return () => {
      size.disconnect();
      dark.removeEventListener("change", build);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [theme, zone, height, p.of, p.unit, p.opened, p.from, p.to, p.earlier, p.score]);

  return <div class="chart" ref={at} role="img" aria-label={describe(p)} style={{ minHeight: height + "px" }} />;
}

function data(p: Props): uPlot.AlignedData {
  const c = p.of;
  if (p.score) return [c.time, c.score];
  return [c.time, c.lower, c.upper, c.expected, c.value, outside(c), p.earlier ?? c.time.map(() => null)];
}

/** What a chart shows, for readers who do not see it. */
function describe(p: Props): string {
  const values = (p.score ? p.of.score : p.of.value).filter((v): v is number => v !== null);
  if (values.length === 0) return p.label + ": no points.";
  const write = (v: number) => (p.score ? v.toFixed(1) : quantity(v, p.unit, p.statistic));
  const out = p.score ? values.filter((v) => v >= 1).length : outside(p.of).filter((v) => v !== null).length;
  return p.label + ": " + values.length + " points from " + write(Math.min(...values)) + " to " + write(Math.max(...values)) +
    ", the latest " + write(values[values.length - 1]!) + "; " + out + (p.score ? " at or above the threshold." : " outside the interval.");
}

function options(box: Element, p: Props, height: number, zone: "local" | "utc"): uPlot.Options {
  const line = color(box, "c-line"), blue = color(box, "c-expected"), red = color(box, "c-out"), grid = color(box, "c-grid"), text = color(box, "c-text"), old = color(box, "c-earlier");
  const font = "12px system-ui, sans-serif";
  const axis = { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 } };
  const invisible = { show: true, stroke: "transparent", width: 0, points: { show: false } };
  return {
    width: Math.max(100, box.clientWidth), height,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    tzDate: (ts: number) => (zone === "utc" ? uPlot.tzDate(new Date(ts * 1e3), "Etc/UTC") : new Date(ts * 1e3)),
    scales: {
      x: { time: true, range: (_, low, high) => [p.from ?? low, p.to ?? high] },
      y: { range: (_, low, high) => (p.score ? [0, Math.max(1.2, high * 1.05)] : range(p.of)) },
    },
    axes: [
      { ...axis, space: 76, values: (_, ticks) => clocks(ticks, zone) },
      { ...axis, size: 78, space: 34, values: (_, ticks) => ticks.map((v) => (p.score ? String(v) : quantity(v, p.unit, p.statistic))) },
    ],
    bands: p.score ? [] : [{ series: [2, 1], fill: clear(blue, 0.2) }],
    series: p.score
      ? [{}, { stroke: red, width: 1.5, fill: clear(red, 0.12), points: { show: false } }]
      : [
          {}, invisible, invisible,
          { stroke: clear(blue, 0.9), width: 1, points: { show: false } },
          { stroke: line, width: 1.5, points: { show: false } },
          { stroke: "transparent", width: 0, points: { show: true, size: 5, fill: red, stroke: red } },
          { stroke: old, width: 1, dash: [4, 3], points: { show: false } },
        ],
    hooks: {
      draw: [(u) => mark(u, p, red, grid)],
      setCursor: [(u) => point(u, p, zone)],
    },
  };
}

/** Writes the times of an axis; the first, and the first of a day, with the date below. */
function clocks(ticks: number[], zone: "local" | "utc"): string[] {
  const fine = ticks.length > 1 && ticks[1]! - ticks[0]! < 60;
  return ticks.map((t, i) => {
    const day = date(new Date(t * 1e3), zone), before = i > 0 ? date(new Date(ticks[i - 1]! * 1e3), zone) : "";
    const clock = time(t * 1e3, zone, new Date(t * 1e3), fine);
    return day === before ? clock : clock + "\n" + day;
  });
}

/** Draws the time of opening, and the threshold of a score. */
function mark(u: uPlot, p: Props, red: string, grid: string): void {
  const { ctx } = u, box = u.bbox;
  const stroke = (x0: number, y0: number, x1: number, y1: number, c: string) => {
    ctx.save();
    ctx.strokeStyle = c;
    ctx.setLineDash([5, 4]);
    ctx.beginPath();
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
    ctx.stroke();
    ctx.restore();
  };
  if (p.opened) {
    const x = u.valToPos(p.opened, "x", true);
    if (x >= box.left && x <= box.left + box.width) stroke(x, box.top, x, box.top + box.height, red);
  }
  if (p.score) {
    const y = u.valToPos(1, "y", true);
    stroke(box.left, y, box.left + box.width, y, grid);
  }
}

/** Shows the numbers under the cursor. */
function point(u: uPlot, p: Props, zone: "local" | "utc"): void {
  let tip = u.over.querySelector<HTMLElement>(".tip");
  const i = u.cursor.idx;
  if (i === null || i === undefined) {
    tip?.remove();
    return;
  }
  if (!tip) {
    tip = document.createElement("div");
    tip.className = "tip";
    u.over.append(tip);
  }
  const c = p.of, write = (v: number | null | undefined) => quantity(v, p.unit, p.statistic);
  const rows = [time((c.time[i] ?? 0) * 1e3, zone)];
  if (p.score) {
    rows.push("score " + (c.score[i]?.toFixed(2) ?? "–"));
  } else {
    rows.push(write(c.value[i]), "expected " + write(c.expected[i]), write(c.lower[i]) + " to " + write(c.upper[i]));
    if (p.earlier?.[i] !== undefined && p.earlier[i] !== null) rows.push((p.earlierLabel ?? "earlier") + " " + write(p.earlier[i]));
  }
  tip.textContent = rows.join("\n");
  const left = u.cursor.left ?? 0;
  const flip = left > u.over.clientWidth / 2;
  tip.style.left = flip ? "" : left + 12 + "px";
  tip.style.right = flip ? u.over.clientWidth - left + 12 + "px" : "";
}
