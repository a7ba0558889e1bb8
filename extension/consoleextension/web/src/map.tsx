// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

/** The service map: what calls what, laid out by dagre. */
import { graphlib, layout } from "@dagrejs/dagre";
import { useMemo } from "preact/hooks";
import type { Edge } from "./api.ts";
import { number } from "./format.ts";

interface Props {
  services: { name: string; status: string }[];
  edges: Edge[];
  /** Names that are emphasized, and the calls between them. */
  highlight?: string[] | undefined;
  /** The likeliest suspect. */
  suspect?: string | undefined;
}

const maxNodes = 80;
const width = (name: string): number => Math.min(200, 30 + name.length * 7.4);
const shorten = (name: string): string => (name.length > 24 ? name.slice(0, 23) + "…" : name);

export function ServiceMap({ services, edges, highlight, suspect }: Props) {
  const drawn = useMemo(() => place(services, edges), [services, edges]);
  if (!drawn) return <p class="muted">No calls between services are known. They follow from traces.</p>;
  const on = new Set(highlight ?? []);
  const bright = (name: string) => on.size === 0 || on.has(name);
  return (
    <div class="map scroll" tabIndex={0} role="region" aria-label="Service map">
      <svg viewBox={"0 0 " + drawn.width + " " + drawn.height} width={drawn.width} height={drawn.height} role="group" aria-label={drawn.nodes.length + " services and what they call"}>
        <defs>
          <marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" /></marker>
        </defs>
        {drawn.edges.map((e) => (
          <path key={e.from + "\n" + e.to} class={"edge" + (bright(e.from) && bright(e.to) ? on.size ? " on" : "" : " off")} d={e.path} marker-end="url(#arrow)">
            <title>{e.from + " calls " + e.to + ": " + number(e.calls) + " calls"}</title>
          </path>
        ))}
        {drawn.nodes.map((n) => {
          const shape = (
            <>
              <rect x={n.x - n.width / 2} y={n.y - 17} width={n.width} height={34} rx={n.kind === "database" || n.kind === "queue" ? 17 : 6} />
              <text x={n.x} y={n.y + 4} text-anchor="middle">{shorten(n.name)}</text>
              <title>{n.name + (n.kind === "service" ? "" : ", " + n.kind) + ": " + n.status}</title>
            </>
          );
          const kind = "node " + n.status + (n.name === suspect ? " suspect" : "") + (bright(n.name) ? "" : " off");
          return n.known
            ? <a key={n.name} class={kind} href={"/series?service=" + encodeURIComponent(n.name)} aria-label={n.name + ": " + n.status}>{shape}</a>
            : <g key={n.name} class={kind}>{shape}</g>;
        })}
      </svg>
    </div>
  );
}

function place(services: Props["services"], edges: Edge[]) {
  const status = new Map(services.map((s) => [s.name, s.status]));
  const kinds = new Map<string, string>();
  for (const e of edges) {
    kinds.set(e.from, e.from_kind);
    kinds.set(e.to, e.to_kind);
  }
  const names = [...kinds.keys()].sort().slice(0, maxNodes);
  if (names.length === 0) return null;
  const g = new graphlib.Graph();
  g.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 56, marginx: 8, marginy: 8 });
  g.setDefaultEdgeLabel(() => ({}));
  for (const name of names) g.setNode(name, { width: width(shorten(name)), height: 34 });
  const kept = edges.filter((e) => g.hasNode(e.from) && g.hasNode(e.to) && e.from !== e.to);
  for (const e of kept) g.setEdge(e.from, e.to);
  layout(g);
  const size = g.graph() as { width: number; height: number };
  return {
    width: Math.ceil(size.width), height: Math.ceil(size.height),
    nodes: names.map((name) => {
      const n = g.node(name) as { x: number; y: number; width: number };
      return { name, x: n.x, y: n.y, width: n.width, kind: kinds.get(name) ?? "service", known: status.has(name), status: status.get(name) ?? "no telemetry of its own" };
    }),
    edges: kept.map((e) => {
      const points = (g.edge(e.from, e.to) as { points: { x: number; y: number }[] }).points;
      return { ...e, path: curve(points) };
    }),
  };
}

/** A smooth path through points. */
function curve(points: { x: number; y: number }[]): string {
  const at = (p: { x: number; y: number }) => p.x.toFixed(1) + " " + p.y.toFixed(1);
  const [first, ...rest] = points;
  if (!first || rest.length === 0) return "";
  let path = "M" + at(first);
  for (let i = 0; i < rest.length - 1; i++) {
    const p = rest[i]!, next = rest[i + 1]!;
    path += " Q" + at(p) + " " + at(i === rest.length - 2 ? next : { x: (p.x + next.x) / 2, y: (p.y + next.y) / 2 });
  }
  return rest.length === 1 ? path + " L" + at(rest[0]!) : path;
}
