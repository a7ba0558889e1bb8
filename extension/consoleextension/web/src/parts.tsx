// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

/** Small parts that several views use. */
import { Fragment } from "preact";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { between, count, duration, localize, number, time } from "./format.ts";
import type { Brief, Subject } from "./api.ts";
import { Refusal } from "./api.ts";
import { useShared } from "./state.tsx";

export function Time({ at, seconds = true }: { at: string | undefined; seconds?: boolean }) {
  const { zone } = useShared();
  if (!at) return <>–</>;
  return <time dateTime={at} title={new Date(at).toISOString()}>{time(at, zone, new Date(), seconds)}</time>;
}

export function Failure({ error }: { error: Error | null }) {
  if (!error) return null;
  const lost = !(error instanceof Refusal);
  return (
    <div class="failure" role="alert">
      <strong>{lost ? "The collector does not answer." : error.status === 404 ? "Not found." : "The collector refused this."}</strong>{" "}
      {lost ? "The page tries again." : capital(error.message) + "."}
    </div>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const Loading = () => <p class="muted" role="status">Loading …</p>;

/** The name of a series: its statistic and metric. */
export function seriesName(s: { metric: string; statistic: string }): string {
  return s.statistic === "value" || s.statistic === "" ? s.metric : s.statistic.replace(/_/g, " ") + " of " + s.metric;
}

/** A name that breaks after its dots and underscores where it is too long for a line. */
export function Breakable({ text }: { text: string }) {
  return <>{text.split(/(?<=[._])/).map((part, i) => <Fragment key={i}>{i > 0 && <wbr />}{part}</Fragment>)}</>;
}

export function Attributes({ of }: { of: Record<string, string> | undefined }) {
  const pairs = Object.entries(of ?? {});
  if (pairs.length === 0) return null;
  return (
    <span class="attributes">
      {pairs.map(([k, v]) => <span key={k} class="attribute"><span class="muted">{k}=</span>{v}</span>)}
    </span>
  );
}

export const SeriesLink = ({ of }: { of: Subject }) => <a href={"/series/" + of.series}>{seriesName(of)}</a>;

/** How severe a score is, as a word and a color. 1 is the threshold. */
export function severity(score: number): "high" | "medium" | "low" {
  return score >= 5 ? "high" : score >= 2 ? "medium" : "low";
}

export function Score({ of }: { of: number }) {
  return <span class={"score " + (of >= 1 ? severity(of) : "calm")} title="Score. 1 is the threshold.">{of >= 1000 ? number(of) : of.toFixed(of >= 100 ? 0 : 1)}</span>;
}

export function IncidentCard({ of }: { of: Brief }) {
  const { zone } = useShared();
  const open = of.state === "open";
  return (
    <li class={"card incident " + (open ? severity(of.max_score) : "closed")}>
      <h3>
        <a href={"/incidents/" + of.id}>{of.suspect ?? of.service}</a>{" "}
        <Score of={of.max_score} />
      </h3>
      <p class="sentence">{localize(of.sentence, of.opened, zone)}</p>
      <p class="muted">
        {open ? <>Open for <Since at={of.opened} />, since <Time at={of.opened} /></> : <>From <Time at={of.opened} /> for {duration(between(of.opened, of.closed ?? of.updated))}</>}
        {" · "}{count(of.count, "series", "series")} of {count(of.services.length, "service")}
      </p>
    </li>
  );
}

/** How long ago a time was, updated while shown. */
export function Since({ at }: { at: string }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 10_000);
    return () => clearInterval(timer);
  }, []);
  return <>{duration((Date.now() - new Date(at).getTime()) / 1000)}</>;
}

export function Facts({ children }: { children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

/** A row of buttons, one of which is chosen. */
export function Choice<T extends string>({ label, value, of, set }: { label: string; value: T; of: readonly (readonly [T, string])[]; set(v: T): void }) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {of.map(([v, text]) => (
        <button key={v} type="button" aria-pressed={v === value} onClick={() => set(v)}>{text}</button>
      ))}
    </div>
  );
}

export function Sparkline({ values, label }: { values: (number | null)[]; label: string }) {
  const numbers = values.filter((v): v is number => v !== null);
  if (numbers.length < 2) return <span class="muted">–</span>;
  const high = Math.max(...numbers, 1e-9);
  const points = values.map((v, i) => ((i / (values.length - 1)) * 118 + 1).toFixed(1) + "," + (23 - ((v ?? 0) / high) * 21).toFixed(1)).join(" ");
  return (
    <svg class="spark" viewBox="0 0 120 24" width="120" height="24" role="img" aria-label={label + ": at most " + number(high) + ", latest " + number(numbers[numbers.length - 1]!)}>
      <polyline points={points} />
    </svg>
  );
}
