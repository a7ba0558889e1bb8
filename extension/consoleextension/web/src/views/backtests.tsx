// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

import type { Backtest } from "../api.ts";
import { quantity } from "../format.ts";
import { Failure, Loading, Time } from "../parts.tsx";
import { useGet } from "../state.tsx";

export function Backtests() {
  const { data, error } = useGet<{ directory: string; backtests: Backtest[]; total: number }>("backtests", 30_000);
  return (
    <>
      <h1>Backtests</h1>
      <Failure error={error} />
      {!data ? !error && <Loading /> : <List of={data} />}
    </>
  );
}

function List({ of }: { of: { directory: string; backtests: Backtest[]; total: number } }) {
  if (!of.directory) {
    return (
      <>
        <p class="lead">A backtest runs recorded telemetry through the same detection code and reports what would have opened.</p>
        <p>To list reports here, set <code>backtests::directory</code> of the console, and write each report into a folder of its own below it:</p>
        <pre>auspex backtest csv --in history --out DIRECTORY/history</pre>
      </>
    );
  }
  if (of.backtests.length === 0) return <p>There is no report yet. <code>auspex backtest csv --in history --out {of.directory}/history</code> writes one.</p>;
  return (
    <>
      <p>Reports in <code>{of.directory}</code>, the latest first. {of.total > of.backtests.length && "The first " + of.backtests.length + " of " + of.total + "."}</p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Reports">
        <table class="list">
          <thead><tr><th scope="col">Report</th><th scope="col">Title</th><th scope="col">Written</th><th scope="col" class="num">Size</th></tr></thead>
          <tbody>
            {of.backtests.map((b) => (
              <tr key={b.name}>
                <td class="name"><a href={"/backtests/" + encodeURIComponent(b.name)} target="_self">{b.name}</a></td>
                <td class="name">{b.title}</td><td class="nowrap"><Time at={b.written} seconds={false} /></td><td class="num">{quantity(b.bytes, "By")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
