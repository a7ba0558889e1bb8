// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

import type { Edge, Service } from "../api.ts";
import { number, percent, quantity } from "../format.ts";
import { ServiceMap } from "../map.tsx";
import { Failure, Loading, Score } from "../parts.tsx";
import { useGet } from "../state.tsx";

export function Services() {
  const { data, error } = useGet<{ services: Service[]; edges: Edge[] }>("services", 10_000);
  if (!data) return <><h1>Services</h1><Failure error={error} />{!error && <Loading />}</>;
  return (
    <>
      <h1>Services</h1>
      <Failure error={error} />
      {data.services.length === 0 ? <p>No telemetry has arrived yet.</p> : (
        <>
          <ServiceMap services={data.services} edges={data.edges} />
          <div class="scroll" tabIndex={0} role="region" aria-label="List of services">
            <table class="list">
              <thead><tr>
                <th scope="col">Service</th><th scope="col">Status</th><th scope="col">Score</th><th scope="col" class="num">Requests</th><th scope="col" class="num">Errors</th>
                <th scope="col" class="num">Median</th><th scope="col" class="num">p95</th><th scope="col" class="num">Log records</th><th scope="col" class="num">Series</th>
              </tr></thead>
              <tbody>
                {data.services.map((s) => (
                  <tr key={s.name}>
                    <td><a href={"/series?service=" + encodeURIComponent(s.name)}>{s.name}</a></td>
                    <td>{s.incident ? <a class={"badge " + s.status} href={"/incidents/" + s.incident}>{s.status}</a> : <span class={"badge " + s.status}>{s.status}</span>}</td>
                    <td><Score of={s.max_score} /></td>
                    <td class="num">{s.requests_per_second === undefined ? "–" : number(s.requests_per_second) + "/s"}</td>
                    <td class="num">{s.error_ratio === undefined ? "–" : percent(s.error_ratio)}</td>
                    <td class="num">{s.p50_seconds === undefined ? "–" : quantity(s.p50_seconds, "s")}</td>
                    <td class="num">{s.p95_seconds === undefined ? "–" : quantity(s.p95_seconds, "s")}</td>
                    <td class="num">{s.records_per_second === undefined ? "–" : number(s.records_per_second) + "/s"}</td>
                    <td class="num">{number(s.series)}{s.warming > 0 && <span class="muted"> ({number(s.warming)} learning)</span>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p class="muted">Requests, errors, and durations are those of the operations that serve requests, in the latest window of 15 seconds of traces.</p>
        </>
      )}
    </>
  );
}
