// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useMemo, useState } from "preact/hooks";
import type { Detail, Series as Row } from "../api.ts";
import { Chart } from "../chart.tsx";
import type { Columns } from "../columns.ts";
import { align, cadence } from "../columns.ts";
import { duration, number, quantity } from "../format.ts";
import { Attributes, Breakable, Choice, Fact, Facts, Failure, Loading, Score, Time, seriesName } from "../parts.tsx";
import { address, choice } from "../route.ts";
import { SilenceButtons } from "../silence.tsx";
import { setQuery, useGet, useShared } from "../state.tsx";

/** A text field whose value goes to the address when typing pauses. */
export function Search({ name, label, hint }: { name: string; label: string; hint: string }) {
  const { route } = useShared();
  const [text, setText] = useState(route.query[name] ?? "");
  useEffect(() => setText(route.query[name] ?? ""), [route.query[name]]);
  useEffect(() => {
    if (text === (route.query[name] ?? "")) return;
    const timer = setTimeout(() => setQuery({ [name]: text || undefined }), 250);
    return () => clearTimeout(timer);
  }, [text]);
  return <label class="search"><span>{label}</span><input type="search" value={text} placeholder={hint} onInput={(e) => setText(e.currentTarget.value)} /></label>;
}

/** Shows that a list is of one service, and removes that. */
export function ServiceFilter() {
  const { route } = useShared();
  const of = route.query["service"];
  return of ? <button type="button" class="filter" onClick={() => setQuery({ service: undefined })} aria-label={"Remove the filter: service " + of}>service {of} ×</button> : null;
}

export function SeriesList() {
  const { route } = useShared();
  const { q, service, metric } = route.query;
  const { data, error } = useGet<{ series: Row[] }>(address("series", { q, service, metric, limit: "200" }), 10_000);
  return (
    <>
      <h1>Series</h1>
      <div class="filters"><Search name="q" label="Search" hint="service, metric, attribute …" /><ServiceFilter /></div>
      <Failure error={error} />
      {!data ? !error && <Loading /> : data.series.length === 0 ? <p>No series matches. Search for parts of a service, a metric, or an attribute.</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="List of series">
          <table class="list">
            <thead><tr><th scope="col">Score</th><th scope="col">Series</th><th scope="col">Service</th><th scope="col" class="num">Value</th><th scope="col" class="num">Expected</th><th scope="col">Interval</th></tr></thead>
            <tbody>
              {data.series.map((s) => (
                <tr key={s.id}>
                  <td><Score of={s.score} /></td>
                  <td class="name"><a href={"/series/" + s.id}>{seriesName(s)}</a> <Attributes of={s.attributes} /></td>
                  <td>{s.service}</td>
                  <td class="num">{quantity(s.observed, s.unit, s.statistic)}</td>
                  <td class="num">{s.expected === undefined ? <span class="muted">learning</span> : quantity(s.expected, s.unit, s.statistic)}</td>
                  <td class="nowrap">{s.lower === undefined ? "–" : quantity(s.lower, s.unit, s.statistic) + " to " + quantity(s.upper, s.unit, s.statistic)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {data.series.length === 200 && <p class="muted">The 200 with the highest scores are listed. Search to narrow the list.</p>}
        </div>
      )}
    </>
  );
}

const spans = [["1", "1 h"], ["6", "6 h"], ["24", "24 h"], ["168", "7 d"]] as const;
const overlays = [["none", "none"], ["day", "a day earlier"], ["week", "a week earlier"]] as const;
const shifts = { none: 0, day: 86_400, week: 604_800 };

export function OneSeries({ id }: { id: string }) {
  const { route } = useShared();
  const hours = choice(route.query["hours"], ["6", "1", "24", "168"]);
  const overlay = choice(route.query["overlay"], ["none", "day", "week"]);
  const detail = useGet<Detail>("series/" + encodeURIComponent(id), 5_000);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  const latest = detail.data ? Math.max(new Date(detail.data.time).getTime(), 0) : now;
  // A series that has stopped is shown as of its last point.
  const end = Math.min(now, latest + 120_000);
  const stamp = (ms: number) => new Date(Math.round(ms / 10_000) * 10_000).toISOString();
  const ask = (shift: number) => address("series/" + id + "/points", { from: stamp(end - Number(hours) * 3_600_000 - shift * 1e3), to: stamp(end - shift * 1e3 + 10_000) });
  const points = useKept(useGet<Columns>(detail.data ? ask(0) : null).data, id + hours);
  const earlier = useKept(useGet<Columns>(detail.data && overlay !== "none" ? ask(shifts[overlay]) : null).data, id + hours + overlay);
  const old = useMemo(() => (points && earlier && overlay !== "none" ? align(points.time, earlier, shifts[overlay], 2 * Math.max(cadence(points.time), cadence(earlier.time))) : undefined), [points, earlier, overlay]);
  if (detail.error && !detail.data) return <><h1>Series</h1><Failure error={detail.error} /><p><a href="/series">All series</a></p></>;
  const d = detail.data;
  if (!d) return <><h1>Series</h1><Loading /></>;
  return (
    <article>
      <h1><Breakable text={seriesName(d)} /> <Score of={d.score} /></h1>
      <p class="lead"><a href={"/series?service=" + encodeURIComponent(d.service)}>{d.service}</a> <Attributes of={d.attributes} /></p>
      <div class="filters">
        <Choice label="Span of the chart" value={hours} of={spans} set={(v) => setQuery({ hours: v === "6" ? undefined : v })} />
        <label>Overlay <select value={overlay} onChange={(e) => setQuery({ overlay: e.currentTarget.value === "none" ? undefined : e.currentTarget.value })}>{overlays.map(([v, t]) => <option key={v} value={v}>{t}</option>)}</select></label>
      </div>
      {points && points.time.length > 1 ? (
        <>
          <Chart of={points} unit={d.unit} statistic={d.statistic} label={seriesName(d)} height={280} from={(end - Number(hours) * 3_600_000) / 1e3} to={end / 1e3} earlier={old} earlierLabel={overlay === "none" ? "" : overlay + " earlier"} />
          <p class="muted legend"><span><i class="swatch line" /> value</span><span><i class="swatch expected" /> expected, with the interval that holds 99 % of normal points</span><span><i class="swatch out" /> outside</span>{old && <span><i class="swatch earlier" /> a {overlay} earlier</span>}</p>
          <h2>Score</h2>
          <Chart of={points} unit="" statistic="" label="Score" height={120} score from={(end - Number(hours) * 3_600_000) / 1e3} to={end / 1e3} />
        </>
      ) : <div class="chart empty"><p class="muted">{points ? "The chart history has no points of this time yet." : "Loading …"}</p></div>}
      <section>
        <h2>{d.open ? "Why did this open?" : "Why did this not open?"}</h2>
        <ul>{d.why.map((w) => <li key={w}>{w}</li>)}</ul>
      </section>
      <section>
        <h2>What the model knows</h2>
        <Facts>
          <Fact name="Latest value">{quantity(d.observed, d.unit, d.statistic)}, <Time at={d.time} /></Fact>
          <Fact name="Expected">{d.expected === undefined ? "still learning" : quantity(d.expected, d.unit, d.statistic) + " (" + quantity(d.lower, d.unit, d.statistic) + " to " + quantity(d.upper, d.unit, d.statistic) + ")"}</Fact>
          <Fact name="Points">{number(d.points)}, one each {duration(d.cadence_seconds)}</Fact>
          <Fact name="Learning for">{duration(d.points * d.cadence_seconds)}</Fact>
          <Fact name="Daily course">{d.season ? "learned" : "not learned yet"}</Fact>
          <Fact name="Away from its level">{d.away_since ? <>since <Time at={d.away_since} /></> : "no"}</Fact>
          <Fact name="Cooldown">{duration(d.cooldown_seconds)}</Fact>
          <Fact name="α per decision">{d.alpha.toExponential(1)}</Fact>
          <Fact name="Policy">{d.min_duration_seconds > 0 || d.dry_run ? [d.min_duration_seconds > 0 && "at least " + duration(d.min_duration_seconds), d.dry_run && "dry run"].filter(Boolean).join(", ") : "none in effect"}</Fact>
          <Fact name="Made from">{d.signal}</Fact>
          <Fact name="Memory">up to {quantity(d.bytes, "By")}</Fact>
        </Facts>
        <div class="actions no-print">
          <SilenceButtons targets={[{ label: "this series", of: { series: d.id } }, { label: "everything of " + d.service, of: { service: d.service } }]} done={detail.again} />
        </div>
      </section>
    </article>
  );
}

/** Keeps what was loaded last for a key while the next is on its way, so that nothing flickers. */
function useKept<T>(value: T | null, key: string): T | null {
  const [kept, setKept] = useState<{ key: string; value: T } | null>(null);
  useEffect(() => {
    if (value) setKept({ key, value });
  }, [value, key]);
  return value ?? (kept?.key === key ? kept.value : null);
}
