// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

import { useMemo } from "preact/hooks";
import type { Health } from "../api.ts";
import { count, number, percent, time } from "../format.ts";
import { Choice, Fact, Facts, Failure, IncidentCard, Loading, Since } from "../parts.tsx";
import { choice } from "../route.ts";
import { setQuery, useGet, useShared } from "../state.tsx";

export function Now() {
  const { status, bulletin } = useShared();
  const health = useGet<Health>("health", 10_000);
  // All at once, so that nothing moves when the rest arrives.
  if (!bulletin || !status || !(health.data || health.error)) return <><h1>Now</h1><Loading /></>;
  const { open } = bulletin;
  return (
    <>
      <h1>{bulletin.open_total === 0 ? "Nothing is wrong" : count(bulletin.open_total, "open incident")}</h1>
      {open.length > 0 && <ul class="cards">{open.map((i) => <IncidentCard key={i.id} of={i} />)}</ul>}
      {bulletin.open_total > open.length && <p class="muted">The {open.length} most severe are listed.</p>}
      <section aria-labelledby="ribbon-title">
        <div class="headline">
          <h2 id="ribbon-title">Health</h2>
          <Span />
        </div>
        <Failure error={health.error} />
        <Ribbon of={health.data} />
      </section>
      <Quiet />
      {bulletin.closed.length > 0 && (
        <section>
          <h2>Closed incidents</h2>
          <ul class="cards">{bulletin.closed.map((i) => <IncidentCard key={i.id} of={i} />)}</ul>
          {bulletin.closed_total > bulletin.closed.length && <p class="muted">The latest {bulletin.closed.length} of {bulletin.closed_total} are listed.</p>}
        </section>
      )}
    </>
  );
}

const spans = [["6", "6 h"], ["1", "1 h"], ["24", "24 h"]] as const;
const hours = (q: Record<string, string>): "6" | "1" | "24" => choice(q["hours"], ["6", "1", "24"]);

function Span() {
  const { route } = useShared();
  return <Choice label="Span of the ribbon" value={hours(route.query)} of={[spans[1], spans[0], spans[2]]} set={(v) => setQuery({ hours: v === "6" ? undefined : v })} />;
}

/** What is monitored, and what to expect of it. */
function Quiet() {
  const { status, bulletin } = useShared();
  if (!status) return null;
  const learning = status.series > 0 ? status.warming / status.series : 0;
  return (
    <section>
      <h2>Monitored</h2>
      <Facts>
        <Fact name="Series">{number(status.series)}{status.warming > 0 && <span class="muted">, {number(status.warming)} still learning</span>}</Fact>
        <Fact name="Data points judged">{number(status.points)}</Fact>
        <Fact name="Running for"><Since at={status.started} /></Fact>
        <Fact name="Open anomalies">{number(status.open_anomalies)}</Fact>
        <Fact name="False alarms to expect">{number(status.false_alarms_per_day)} a day</Fact>
        <Fact name="State">{status.persisted ? "kept on disk" : "lost when the collector stops"}</Fact>
      </Facts>
      {status.series === 0 && <p>No telemetry has arrived yet. Send OTLP to the collector, and this page fills.</p>}
      {learning > 0.5 && status.series > 0 && <p>Most series are still learning: anomalies open once there are enough points for a prediction.</p>}
      {bulletin?.open_total === 0 && learning <= 0.5 && status.series > 0 && (
        <p>No incident is open. By the budget, expect about {number(status.false_alarms_per_day)} anomalies a day that open although nothing is wrong.</p>
      )}
      {status.rejecting && <p class="failure">There is no room for more series: raise max_series or max_memory of the engine.</p>}
    </section>
  );
}

const maxRows = 12;

/** The share of points outside their interval over the last hours, by service. */
function Ribbon({ of }: { of: Health | null }) {
  const { route, zone } = useShared();
  const span = Number(hours(route.query)) * 3600;
  const drawn = useMemo(() => {
    const latest = Math.max(0, ...Object.values(of?.services ?? {}).map((list) => list.at(-1)?.[0] ?? 0));
    if (!of || latest === 0) return null;
    const width = of.bucket_seconds, first = latest - span + width;
    const rows = Object.entries(of.services).map(([name, list]) => {
      const recent = list.filter(([t]) => t >= first);
      const judged = recent.reduce((n, [, j]) => n + j, 0), outside = recent.reduce((n, [, , o]) => n + o, 0);
      const worst = recent.reduce<[number, number]>((w, [t, j, o]) => (o / j > w[1] ? [t, o / j] : w), [0, 0]);
      return { name, recent, judged, share: judged ? outside / judged : 0, worst };
    }).filter((r) => r.judged > 0).sort((a, b) => b.worst[1] - a.worst[1] || a.name.localeCompare(b.name));
    return { first, width, buckets: Math.round(span / width), rows };
  }, [of, span]);
  if (!drawn) return <p class="muted">No series has a prediction yet.</p>;
  return (
    <>
      <table class="ribbon">
        <caption class="hidden">Share of points outside their prediction interval, by service</caption>
        <colgroup><col class="first" /><col /><col class="last" /></colgroup>
        <thead class="hidden"><tr><th scope="col">Service</th><th scope="col">Course</th><th scope="col">Greatest share</th></tr></thead>
        <tbody>
          {drawn.rows.slice(0, maxRows).map((r) => (
            <tr key={r.name}>
              <th scope="row"><a href={"/series?service=" + encodeURIComponent(r.name)}>{r.name}</a></th>
              <td>
                <svg viewBox={"0 0 " + drawn.buckets + " 10"} preserveAspectRatio="none" role="img" aria-label={r.name + ": " + percent(r.share) + " of points outside, at most " + percent(r.worst[1])}>
                  {r.recent.map(([t, judged, out]) => (
                    <rect key={t} class={"heat " + heat(out / judged)} x={(t - drawn.first) / drawn.width} y="0" width="0.92" height="10">
                      <title>{time(t * 1e3, zone, new Date(), false) + ": " + percent(out / judged) + " of " + number(judged) + " points"}</title>
                    </rect>
                  ))}
                </svg>
              </td>
              <td class="num">{percent(r.worst[1])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted legend">
        Share of points outside their prediction interval:
        {([["none", "up to 3 %"], ["some", "10 %"], ["many", "25 %"], ["most", "more"]] as const).map(([k, text]) => <span key={k}><i class={"swatch " + k} /> {text}</span>)}
        <span>1 % is normal. On the right: the greatest share.</span>
      </p>
      {drawn.rows.length > maxRows && <p class="muted">The {maxRows} most affected of {drawn.rows.length} services are shown. <a href="/services">All services</a></p>}
    </>
  );
}

function heat(share: number): string {
  return share > 0.25 ? "most" : share > 0.1 ? "many" : share > 0.03 ? "some" : "none";
}
