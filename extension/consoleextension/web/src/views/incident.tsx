// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

import { useMemo, useState } from "preact/hooks";
import type { Anomaly, Incident as Data, Suspect } from "../api.ts";
import type { Edge, Service } from "../api.ts";
import { Chart } from "../chart.tsx";
import type { Columns } from "../columns.ts";
import { between, count, duration, localize, quantity, time } from "../format.ts";
import { ServiceMap } from "../map.tsx";
import { Attributes, Fact, Facts, Failure, Loading, Score, SeriesLink, Time, seriesName } from "../parts.tsx";
import { SilenceButtons } from "../silence.tsx";
import type { Target } from "../silence.tsx";
import { address } from "../route.ts";
import { useGet, useShared } from "../state.tsx";

const maxCharts = 6, maxBars = 30;

export function Incident({ id }: { id: string }) {
  const { zone, bulletin } = useShared();
  // Ask again when the stream reports that the incident changed.
  const stamp = [...(bulletin?.open ?? []), ...(bulletin?.closed ?? [])].find((i) => i.id === id);
  const { data, error, again } = useGet<Data>("incidents/" + encodeURIComponent(id), stamp?.state === "closed" ? 0 : 5_000);
  if (error) return <><h1>Incident</h1><Failure error={error} /><p><a href="/">All incidents</a></p></>;
  if (!data) return <><h1>Incident</h1><Loading /></>;
  const first = data.suspects[0];
  return (
    <article>
      <h1>{data.undetermined || !first ? "Incident in " + data.service : first.name} <Score of={data.max_score} /></h1>
      <p class="lead">{localize(data.sentence, data.opened, zone)}</p>
      <Facts>
        <Fact name="State">{data.state === "open" ? "open" : "closed: " + (data.closed_because ?? "")}</Fact>
        <Fact name="Opened"><Time at={data.opened} /></Fact>
        <Fact name={data.closed ? "Closed" : "Updated"}><Time at={data.closed ?? data.updated} /></Fact>
        <Fact name="Lasted">{duration(between(data.opened, data.closed ?? data.updated))}</Fact>
        <Fact name="Affected">{count(data.services.length, "service")}, {count(data.count, "series", "series")}</Fact>
      </Facts>
      {data.merged_into && <p>This is part of <a href={"/incidents/" + data.merged_into}>another incident</a>.</p>}
      <div class="actions no-print">
        <SilenceButtons targets={targets(data)} done={again} />
        <Copy />
        <a class="button" href={"/api/v1/incidents/" + data.id + "/report"} download>Download report</a>
      </div>
      <section>
        <h2>Suspects</h2>
        {data.undetermined && <p>The evidence does not tell the first ones apart.</p>}
        <ol class="cards">{data.suspects.slice(0, 8).map((s) => <SuspectCard key={s.name} of={s} in={data} />)}</ol>
      </section>
      <section><h2>Timeline</h2><Timeline of={data} /></section>
      <Path of={data} />
      <section>
        <h2>Worst series</h2>
        <div class="charts">{worst(data.anomalies).slice(0, maxCharts).map((a) => <WorstSeries key={a.series} of={a} says={data.findings[a.id] ?? ""} />)}</div>
      </section>
      <Lines of={data} />
      {(data.trace_ids?.length ?? 0) > 0 && (
        <section>
          <h2>Traces</h2>
          <p class="muted">Look for these in your trace backend.</p>
          <ul class="plain">{data.trace_ids!.map((t) => <li key={t}><code>{t}</code></li>)}</ul>
        </section>
      )}
      {(data.history?.length ?? 0) > 0 && (
        <section>
          <h2>History</h2>
          <ul class="plain">{data.history!.map((h) => <li key={h.time + h.what}><Time at={h.time} /> {h.what}</li>)}</ul>
        </section>
      )}
    </article>
  );
}

/** The anomalies with the greatest scores, one of each series. */
function worst(list: Anomaly[]): Anomaly[] {
  const seen = new Set<string>();
  return [...list].sort((a, b) => b.max_score - a.max_score).filter((a) => !seen.has(a.series) && seen.add(a.series));
}

function targets(i: Data): Target[] {
  const list: Target[] = [];
  for (const s of i.suspects.slice(0, 3)) {
    if (s.evidence.series) list.push({ label: s.evidence.service + ": " + seriesName(s.evidence), of: { series: s.evidence.series } });
  }
  for (const a of worst(i.anomalies).slice(0, 5)) {
    if (!list.some((t) => t.of.series === a.series)) list.push({ label: a.service + ": " + seriesName(a), of: { series: a.series } });
  }
  for (const name of i.services.slice(0, 10)) list.push({ label: "everything of " + name, of: { service: name } });
  return list;
}

function Copy() {
  const [copied, setCopied] = useState("");
  const copy = () => navigator.clipboard.writeText(location.href).then(() => setCopied("Copied"), () => setCopied("Copy the address of this page"));
  return <button type="button" onClick={copy}><span aria-live="polite">{copied || "Copy link"}</span></button>;
}

function SuspectCard({ of: s, in: i }: { of: Suspect; in: Data }) {
  const evidence = [s.evidence, ...(s.also ?? [])].filter((a) => a.id);
  return (
    <li class="card">
      <h3>
        {s.kind === "service" ? <a href={"/series?service=" + encodeURIComponent(s.name)}>{s.name}</a> : s.name}
        {s.kind !== "service" && <span class="muted"> {s.kind}</span>}
        {s.evidence.id && <> <Score of={s.evidence.max_score} /></>}
      </h3>
      <p class="muted">Since <Time at={s.since} />{s.hops > 0 && ", " + count(s.hops, "call") + " below where the incident shows"}</p>
      <ul>
        {evidence.map((a) => <li key={a.id}><a href={"/series/" + a.series}>{i.findings[a.id] ?? seriesName(a)}</a></li>)}
        {(s.causes ?? []).map((c) => <li key={c.what}>{c.what}, since <Time at={c.since} /></li>)}
        {(s.changes ?? []).map((c, n) => <li key={c.time + c.what} class="change"><Time at={c.time} />: {i.changes[s.name]?.[n] ?? c.what}</li>)}
      </ul>
    </li>
  );
}

/** When each anomaly was open. */
function Timeline({ of: i }: { of: Data }) {
  const { zone } = useShared();
  const list = [...i.anomalies].sort((a, b) => a.opened.localeCompare(b.opened));
  const shown = list.slice(0, maxBars);
  const ms = (t: string) => new Date(t).getTime();
  const from = Math.min(...shown.map((a) => ms(a.opened)));
  const to = Math.max(from + 60_000, ...shown.map((a) => ms(a.closed ?? i.updated)));
  const place = (t: number) => ((t - from) / (to - from)) * 100;
  return (
    <>
      <table class="timeline">
        <thead><tr><th scope="col">Series</th><th scope="col"><span class="axis"><span>{time(from, zone)}</span><span>{time(to, zone)}</span></span></th></tr></thead>
        <tbody>
          {shown.map((a) => (
            <tr key={a.id}>
              <th scope="row"><span class="muted">{a.service}</span> <SeriesLink of={a} /></th>
              <td>
                <svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={"Open from " + time(a.opened, zone) + (a.closed ? " to " + time(a.closed, zone) : "")}>
                  <rect class={"bar " + a.state} x={place(ms(a.opened))} y="2" width={Math.max(0.6, place(ms(a.closed ?? i.updated)) - place(ms(a.opened)))} height="6"><title>{i.findings[a.id] ?? ""}</title></rect>
                </svg>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {i.count > shown.length && <p class="muted">The first {shown.length} of {i.count} anomalies are shown.</p>}
    </>
  );
}

function Path({ of: i }: { of: Data }) {
  const { data } = useGet<{ services: Service[]; edges: Edge[] }>("services");
  const names = useMemo(() => [...new Set([...i.services, ...i.suspects.map((s) => s.name)])], [i.services.join(), i.suspects.length]);
  const near = useMemo(() => (data ? neighborhood(data.edges, names) : []), [data, names]);
  if (near.length === 0) return null;
  return <section><h2>Service map</h2><ServiceMap services={data!.services} edges={near} highlight={names} suspect={i.suspects[0]?.name} /></section>;
}

/** The calls that begin or end at one of the names. */
const neighborhood = (edges: Edge[], names: string[]): Edge[] => edges.filter((e) => names.includes(e.from) || names.includes(e.to));

function WorstSeries({ of: a, says }: { of: Anomaly; says: string }) {
  // An open anomaly has no end, so that its chart goes on.
  const path = useMemo(() => {
    const opened = new Date(a.opened).getTime(), end = a.closed ? new Date(a.closed).getTime() : Date.now();
    const begin = opened - Math.max(30 * 60_000, (end - opened) / 2);
    return address("series/" + a.series + "/points", {
      limit: "800", from: new Date(begin).toISOString(), to: a.closed && new Date(end + 15 * 60_000).toISOString(),
    });
  }, [a.series, a.opened, a.closed]);
  const points = useGet<Columns>(path, a.closed ? 0 : 5_000);
  return (
    <figure>
      <figcaption><span class="muted">{a.service}</span> <SeriesLink of={a} /> <Attributes of={plainAttributes(a)} /></figcaption>
      <div class="plot">
        {points.data && points.data.time.length > 1
          ? <Chart of={points.data} unit={a.unit} statistic={a.statistic} label={a.service + " " + seriesName(a)} height={180} opened={new Date(a.opened).getTime() / 1e3} />
          : <p class="muted">{points.data ? "The chart history has no points of this time." : "Loading …"}</p>}
      </div>
      <p class="muted">{says}. The interval was {quantity(a.lower, a.unit, a.statistic)} to {quantity(a.upper, a.unit, a.statistic)}.</p>
    </figure>
  );
}

/** Attributes that are short enough to name a series. */
const plainAttributes = (a: Anomaly): Record<string, string> => Object.fromEntries(Object.entries(a.attributes ?? {}).filter(([, v]) => v.length < 60).slice(0, 4));

function Lines({ of: i }: { of: Data }) {
  const list = i.anomalies.filter((a) => i.lines[a.id]);
  if (list.length === 0) return null;
  return (
    <section>
      <h2>Log lines</h2>
      <ul class="cards">
        {list.slice(0, 12).map((a) => (
          <li key={a.id} class="card">
            <p><span class="muted">{a.service}</span> <a href={"/series/" + a.series}>{i.findings[a.id] ?? ""}</a></p>
            <pre>{i.lines[a.id]!.template}</pre>
            {i.lines[a.id]!.example && <><p class="muted">Example</p><pre>{i.lines[a.id]!.example}</pre></>}
          </li>
        ))}
      </ul>
    </section>
  );
}
