// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

import { useMemo, useState } from "preact/hooks";
import type { Anomaly, Health } from "../api.ts";
import { wouldOpen } from "../budget.ts";
import { count, number, quantity } from "../format.ts";
import { Fact, Facts, Failure, Loading, Since, Time } from "../parts.tsx";
import { useGet, useShared } from "../state.tsx";

export function About() {
  const { status } = useShared();
  const health = useGet<Health>("health");
  const config = useGet<{ config: string }>("config");
  const anomalies = useGet<{ anomalies: Anomaly[] }>("anomalies?state=all", 30_000);
  // All at once, so that nothing moves when the rest arrives.
  if (!status || [health, config, anomalies].some((l) => !l.data && !l.error)) return <><h1>About</h1><Loading /></>;
  const sum = (m: Record<string, number>) => Object.values(m).reduce((a, b) => a + b, 0);
  return (
    <>
      <h1>About</h1>
      <Facts>
        <Fact name="Version">{status.version}</Fact>
        <Fact name="Running for"><Since at={status.started} /></Fact>
        <Fact name="Series">{number(status.series)}, {number(status.warming)} still learning, {number(status.evicted)} forgotten</Fact>
        <Fact name="Memory of the engine">{quantity(status.bytes, "By")}{status.max_bytes > 0 && " of " + quantity(status.max_bytes, "By")}</Fact>
        <Fact name="Data points judged">{number(status.points)}</Fact>
        <Fact name="Not judged">{number(sum(status.refused))}</Fact>
        <Fact name="State">{status.persisted ? <>snapshot {status.generation}{status.snapshot_time && <>, <Time at={status.snapshot_time} /></>}</> : "not kept on disk"}</Fact>
        <Fact name="Findings that wait">{number(status.pending_findings)}{status.dropped_findings > 0 && ", " + number(status.dropped_findings) + " dropped"}</Fact>
        {health.data && <Fact name="Chart history">{count(health.data.history.points, "point")} of {number(health.data.history.series)} series, {quantity(health.data.history.bytes, "By")} of {quantity(health.data.history.max_bytes, "By")}</Fact>}
      </Facts>
      <Budget of={anomalies.data?.anomalies ?? []} error={anomalies.error} />
      <section>
        <h2>Signals</h2>
        <div class="scroll" tabIndex={0} role="region" aria-label="Signals">
          <table class="list">
            <thead><tr><th scope="col">Signal</th><th scope="col" class="num">Decisions a day</th><th scope="col" class="num">α per decision</th><th scope="col" class="num">Anomalies per exceedance</th></tr></thead>
            <tbody>{Object.entries(status.signals).map(([name, s]) => <tr key={name}><td>{name}</td><td class="num">{number(s.decisions_per_day)}</td><td class="num">{s.alpha.toExponential(1)}</td><td class="num">{number(s.theta)}</td></tr>)}</tbody>
          </table>
        </div>
      </section>
      <section>
        <h2>Effective configuration</h2>
        <Failure error={config.error} />
        {config.data && <details><summary>Show, with secrets hidden</summary><pre class="config" tabIndex={0}>{config.data.config}</pre></details>}
        <p class="muted">The <a href="/api/v1">API</a> answers all that this page shows.</p>
      </section>
    </>
  );
}

const day = 86_400_000;

function Budget({ of: list, error }: { of: Anomaly[]; error: Error | null }) {
  const { status } = useShared();
  const [power, setPower] = useState(0);
  const latest = useMemo(() => Math.max(0, ...list.map((a) => new Date(a.opened).getTime())), [list]);
  const lastDay = list.filter((a) => new Date(a.opened).getTime() > latest - day).length;
  const factor = 2 ** power, perDay = (status?.false_alarms_per_day ?? 0) * factor;
  return (
    <section>
      <h2>False-alarm budget</h2>
      <Failure error={error} />
      <p>
        The budget accepts {number(status?.false_alarms_per_day)} false alarms a day.
        {list.length > 0 && <> On the latest day with anomalies, {number(lastDay)} opened. Real faults are among them, so the number of false alarms is at most that.</>}
      </p>
      {list.length > 0 && (
        <>
          <label class="slider">
            <span>Budget: {number(perDay)} a day</span>
            <input type="range" min={-10} max={0} step={1} value={power} onInput={(e) => setPower(Number(e.currentTarget.value))} />
          </label>
          <p aria-live="polite">Of {count(wouldOpen(list, 1), "anomaly", "anomalies")} of the last week, {number(wouldOpen(list, factor))} would have opened.</p>
        </>
      )}
    </section>
  );
}
