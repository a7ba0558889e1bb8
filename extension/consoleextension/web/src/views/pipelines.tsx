// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

import type { Flow, Place } from "../api.ts";
import { number, percent } from "../format.ts";
import { Failure, Loading } from "../parts.tsx";
import { useGet } from "../state.tsx";
import { Tap } from "../tap.tsx";

type Numbers = Flow["components"][number];

export function Pipelines() {
  const { data, error } = useGet<Flow>("pipelines", 3_000);
  if (!data) return <><h1>Pipelines</h1><Failure error={error} />{!error && <Loading />}</>;
  const numbers = new Map(data.components.map((c) => [c.kind + " " + c.id + " " + c.signal, c]));
  return (
    <>
      <h1>Pipelines</h1>
      {data.unavailable && <p class="failure">{data.unavailable}</p>}
      <ul class="cards">
        {data.pipelines.map((p) => (
          <li key={p.name} class="card">
            <h2>{p.name}</h2>
            <div class="flow">
              <Stage kind="receiver" title="Receivers" ids={p.receivers} signal={p.name.split("/")[0] ?? ""} numbers={numbers} />
              <Stage kind="processor" title="Processors" ids={p.processors} signal={p.name.split("/")[0] ?? ""} numbers={numbers} />
              <Stage kind="exporter" title="Exporters" ids={p.exporters} signal={p.name.split("/")[0] ?? ""} numbers={numbers} />
            </div>
            {tapsOf(data, p).map((at) => <Tap key={at.kind + at.id} at={at} />)}
          </li>
        ))}
      </ul>
      {Object.keys(data.dead_letters).length > 0 && (
        <section>
          <h2>Dead letters</h2>
          <p>Each of them is kept in a file: <code>auspex deadletter list</code> lists them.</p>
          <ul>{Object.entries(data.dead_letters).map(([of, n]) => <li key={of} class={n > 0 ? "bad" : ""}>{of}: {number(n)}</li>)}</ul>
        </section>
      )}
      <p class="muted">Rates are items per second over all pipelines of a signal that share a component, from the collector's own metrics. Some components report none.</p>
    </>
  );
}

/** The components of a pipeline whose records can be shown. */
function tapsOf({ taps }: Flow, p: Flow["pipelines"][number]): Place[] {
  const signal = p.name.split("/")[0];
  return taps.filter((t) => t.signal === signal && (t.kind === "receiver" ? p.receivers : p.processors).includes(t.id));
}

function Stage({ kind, title, ids, signal, numbers }: { kind: string; title: string; signal: string; ids: string[]; numbers: Map<string, Numbers> }) {
  return (
    <div class="stage">
      <h3>{title}</h3>
      {ids.length === 0 && <p class="muted">none</p>}
      <ul class="plain">{ids.map((id) => <Component key={id} id={id} of={numbers.get(kind + " " + id + " " + signal) ?? numbers.get(kind + " " + id + " ")} />)}</ul>
    </div>
  );
}

const bad = ["refused", "failed"];

function Component({ id, of }: { id: string; of: Numbers | undefined }) {
  return (
    <li class="component">
      <strong>{id}</strong>
      {of && Object.entries(of.totals).filter(([what, total]) => total > 0 || !bad.includes(what)).map(([what, total]) => (
        <span key={what} class={bad.includes(what) ? "bad" : ""}>
          {what} {of.rates[what] === undefined ? "" : number(of.rates[what]) + "/s"} <span class="muted">({number(total)} in total)</span>
        </span>
      ))}
      {of?.queue !== undefined && of.capacity !== undefined && of.capacity > 0 && (
        <span>queue <meter min={0} max={1} high={0.7} value={of.queue / of.capacity} aria-label={"Fill of the queue of " + id} /> {percent(of.queue / of.capacity)}</span>
      )}
    </li>
  );
}
