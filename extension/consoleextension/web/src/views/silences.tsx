// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

import { useState } from "preact/hooks";
import { removeSilence } from "../api.ts";
import type { Silence } from "../api.ts";
import { Failure, Loading, Time } from "../parts.tsx";
import { SilenceButtons } from "../silence.tsx";
import { recall, remember, useGet } from "../state.tsx";
import type { Service } from "../api.ts";

interface Answer {
  silences: Silence[];
  audit: { time: string; who: string; action: string; feedback: Silence }[];
}

export function Silences() {
  const { data, error, again } = useGet<Answer>("silences", 10_000);
  const services = useGet<{ services: Service[] }>("services").data?.services ?? [];
  const [failed, setFailed] = useState<Error | null>(null);
  const [who, setWho] = useState(() => recall("who"));
  if (!data) return <><h1>Silences</h1><Failure error={error} />{!error && <Loading />}</>;
  const end = (id: string) => {
    setFailed(null);
    remember("who", who);
    removeSilence(id, who).then(again, setFailed);
  };
  return (
    <>
      <h1>Silences</h1>
      <Failure error={failed ?? error} />
      <div class="actions"><SilenceButtons targets={services.map((s) => ({ label: "everything of " + s.name, of: { service: s.name } }))} done={again} /></div>
      {data.silences.length === 0 ? <p>No silence is in effect. Open an incident, a series, or a template to silence it.</p> : (
        <>
          <label class="search"><span>Your name, to end one</span><input value={who} autocomplete="username" onInput={(e) => setWho(e.currentTarget.value)} /></label>
          <div class="scroll" tabIndex={0} role="region" aria-label="Silences in effect">
            <table class="list">
              <thead><tr><th scope="col">Kind</th><th scope="col">Of</th><th scope="col">Reason</th><th scope="col">Who</th><th scope="col">Since</th><th scope="col">Until</th><th scope="col"><span class="hidden">End</span></th></tr></thead>
              <tbody>
                {data.silences.map((s) => (
                  <tr key={s.id}>
                    <td>{s.kind}</td><td class="name"><Of silence={s} /></td><td class="name">{s.why}</td><td>{s.who}</td><td><Time at={s.at} seconds={false} /></td><td><Time at={s.expires} seconds={false} /></td>
                    <td><button type="button" disabled={!who} onClick={() => end(s.id)}>End</button></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      <h2>Audit</h2>
      {data.audit.length === 0 ? <p class="muted">Nothing was silenced yet.</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Audit">
          <table class="list">
            <thead><tr><th scope="col">Time</th><th scope="col">Who</th><th scope="col">Action</th><th scope="col">Of</th><th scope="col">Reason</th></tr></thead>
            <tbody>
              {data.audit.map((a) => (
                <tr key={a.time + a.action + a.feedback.id}>
                  <td class="nowrap"><Time at={a.time} /></td><td>{a.who}</td><td>{a.action} {a.feedback.kind}</td><td class="name"><Of silence={a.feedback} /></td><td class="name">{a.feedback.why}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Of({ silence: s }: { silence: Silence }) {
  const parts = (["service", "operation", "template", "series"] as const).filter((k) => s[k]);
  return <>{parts.map((k, i) => <span key={k}>{i > 0 && ", "}{k} {k === "series" ? <a href={"/series/" + s.series}>{s.series}</a> : s[k]}</span>)}</>;
}
