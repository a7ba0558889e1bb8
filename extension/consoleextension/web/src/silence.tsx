// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

/** The dialog that silences something, or states that it is normal. */
import { useEffect, useRef, useState } from "preact/hooks";
import { addSilence } from "./api.ts";
import type { Silence } from "./api.ts";
import { recall, remember } from "./state.tsx";

export interface Target {
  label: string;
  of: Pick<Silence, "series" | "service" | "template" | "operation">;
}

const spans: [string, number][] = [["30 minutes", 0.5], ["2 hours", 2], ["8 hours", 8], ["1 day", 24], ["1 week", 168], ["30 days", 720]];

export function SilenceButtons({ targets, done }: { targets: Target[]; done(): void }) {
  const [kind, setKind] = useState<Silence["kind"] | null>(null);
  return (
    <>
      <button type="button" disabled={targets.length === 0} onClick={() => setKind("silence")}>Silence …</button>
      <button type="button" disabled={targets.length === 0} onClick={() => setKind("normal")}>This is normal …</button>
      {kind && <Dialog kind={kind} targets={targets} close={(changed) => { setKind(null); if (changed) done(); }} />}
    </>
  );
}

function Dialog({ kind, targets, close }: { kind: Silence["kind"]; targets: Target[]; close(changed: boolean): void }) {
  const box = useRef<HTMLDialogElement>(null);
  const [target, setTarget] = useState(0);
  const [hours, setHours] = useState(kind === "silence" ? 2 : 24);
  const [who, setWho] = useState(() => recall("who"));
  const [why, setWhy] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => box.current?.showModal(), []);

  const submit = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    try {
      const expires = new Date(Math.floor(Date.now() / 1e3) * 1e3 + hours * 3_600_000).toISOString();
      await addSilence({ kind, ...targets[target]!.of, who, why, expires });
      remember("who", who);
      close(true);
    } catch (err) {
      setError((err as Error).message);
      setBusy(false);
    }
  };
  return (
    <dialog ref={box} aria-labelledby="silence-title" onClose={() => close(false)}>
      <form onSubmit={submit}>
        <h2 id="silence-title">{kind === "silence" ? "Silence" : "This is normal"}</h2>
        <p>{kind === "silence"
          ? "Nothing of this opens an anomaly until the silence ends. What is open of it closes."
          : "The present level is learned as normal: the series start to learn afresh, and open nothing meanwhile."}</p>
        <label>What
          <select value={target} onChange={(e) => setTarget(Number(e.currentTarget.value))}>
            {targets.map((t, i) => <option key={t.label} value={i}>{t.label}</option>)}
          </select>
        </label>
        <label>For
          <select value={hours} onChange={(e) => setHours(Number(e.currentTarget.value))}>
            {spans.map(([text, h]) => <option key={h} value={h}>{text}</option>)}
          </select>
        </label>
        <label>Reason<input required maxLength={500} value={why} onInput={(e) => setWhy(e.currentTarget.value)} /></label>
        <label>Your name<input required maxLength={500} autocomplete="username" value={who} onInput={(e) => setWho(e.currentTarget.value)} /></label>
        {error && <p class="failure" role="alert">{error}</p>}
        <div class="actions">
          <button type="submit" class="primary" disabled={busy}>{kind === "silence" ? "Silence" : "Learn as normal"}</button>
          <button type="button" onClick={() => close(false)}>Cancel</button>
        </div>
      </form>
    </dialog>
  );
}
