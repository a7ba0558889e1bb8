// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

/** Shows the next few records that pass a component. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Place, TapRecord } from "./api.ts";
import { openTap } from "./api.ts";
import { Attributes, Failure, Time } from "./parts.tsx";

export function Tap({ at }: { at: Place }) {
  const [records, setRecords] = useState<TapRecord[] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [waiting, setWaiting] = useState(false);
  const control = useRef<AbortController>(undefined);
  useEffect(() => () => control.current?.abort(), []);
  const open = () => {
    const mine = (control.current = new AbortController());
    setWaiting(true);
    setError(null);
    openTap(at, mine.signal)
      .then((answer) => setRecords(answer.records), (e: Error) => { if (!mine.signal.aborted) setError(e); })
      .finally(() => setWaiting(false));
  };
  return (
    <section class="tap" aria-label={"Records that pass " + at.id}>
      <div class="actions">
        <button type="button" disabled={waiting} onClick={open}>{waiting ? "Waiting for records …" : records ? "Show newer records" : "Show records at " + at.id}</button>
        {records && <button type="button" onClick={() => setRecords(null)}>Close</button>}
      </div>
      <Failure error={error} />
      <div role="status">{records?.length === 0 && <p>No record passed within 10 s.</p>}</div>
      {records && records.length > 0 && (
        <>
          <ol class="plain records">
            {records.map((r, i) => (
              <li key={i}>
                <p><Time at={r.time} /> <strong>{r.name}</strong></p>
                <pre>{r.text}</pre>
                <details>
                  <summary>Attributes and resource</summary>
                  {r.trace_id && <p><Attributes of={{ trace_id: r.trace_id }} /></p>}
                  <p><Attributes of={r.attributes} /></p>
                  <p><Attributes of={r.resource} /></p>
                </details>
              </li>
            ))}
          </ol>
          <p class="muted">Secrets are replaced by &lt;*&gt;. Long texts are cut.</p>
        </>
      )}
    </section>
  );
}
