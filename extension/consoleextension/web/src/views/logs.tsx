// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

import type { Template } from "../api.ts";
import { number } from "../format.ts";
import { Choice, Failure, Loading, Score, Sparkline, Time } from "../parts.tsx";
import { address, choice } from "../route.ts";
import { SilenceButtons } from "../silence.tsx";
import { setQuery, useGet, useShared } from "../state.tsx";
import { Search, ServiceFilter } from "./series.tsx";

const states = [["all", "all"], ["anomalous", "anomalous"], ["new", "new"], ["vanished", "vanished"]] as const;

export function Logs() {
  const { route } = useShared();
  const state = choice(route.query["state"], ["all", "anomalous", "new", "vanished"]);
  const { q, service } = route.query;
  const { data, error, again } = useGet<{ templates: Template[]; total: number }>(address("templates", { q, service, state }), 10_000);
  return (
    <>
      <h1>Log templates</h1>
      <div class="filters">
        <Search name="q" label="Search" hint="text, service …" />
        <Choice label="State" value={state} of={states} set={(v) => setQuery({ state: v === "all" ? undefined : v })} />
        <ServiceFilter />
      </div>
      <Failure error={error} />
      {!data ? !error && <Loading /> : data.templates.length === 0 ? <p>No template matches.{state === "all" && !q && !service && " Templates appear once log records arrive."}</p> : (
        <>
          <ul class="cards">{data.templates.map((t) => <TemplateCard key={t.service + t.id} of={t} again={again} />)}</ul>
          {data.total > data.templates.length && <p class="muted">{data.templates.length} of {number(data.total)} are listed. Search to narrow the list.</p>}
        </>
      )}
    </>
  );
}

function TemplateCard({ of: t, again }: { of: Template; again(): void }) {
  return (
    <li class={"card template " + t.state}>
      <div class="template-head">
        <a href={"/logs?service=" + encodeURIComponent(t.service)}>{t.service}</a>
        {t.state && <span class={"badge " + t.state}>{t.state}</span>}
        {t.score > 0 && <Score of={t.score} />}
        {t.reason && <span>{t.reason}</span>}
        <span class="spacer" />
        {t.established ? <a href={"/series/" + t.series} aria-label="Count of this template"><Sparkline values={t.spark} label="Records for each window" /></a> : <span class="muted">rare</span>}
      </div>
      <pre>{t.template}</pre>
      <details>
        <summary>{number(t.count)} records, first seen <Time at={t.first} seconds={false} />, last <Time at={t.last} /></summary>
        {t.example ? <><p class="muted">Example</p><pre>{t.example}</pre></> : <p class="muted">No example is kept.</p>}
        <div class="actions"><SilenceButtons targets={[{ label: "this template", of: { template: t.id, service: t.service } }]} done={again} /></div>
      </details>
    </li>
  );
}
