// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

/** Requests to the collector, and the shapes of its answers. */

export interface Subject {
  series: string;
  service: string;
  metric: string;
  statistic: string;
  unit: string;
  attributes?: Record<string, string>;
}

export interface Anomaly extends Subject {
  id: string;
  incident: string;
  state: "open" | "closed";
  kind: string;
  opened: string;
  updated: string;
  closed?: string;
  closed_because?: string;
  score: number;
  max_score: number;
  surprise: number;
  observed: number;
  expected: number;
  lower: number;
  upper: number;
  trace_ids?: string[];
}

export interface Suspect {
  service: string;
  kind: string;
  name: string;
  since: string;
  hops: number;
  evidence: Anomaly;
  also?: Anomaly[];
  causes?: { service: string; what: string; since: string }[];
  changes?: { kind: string; what: string; before?: string; time: string }[];
}

export interface Brief {
  id: string;
  service: string;
  state: "open" | "closed";
  opened: string;
  updated: string;
  closed?: string;
  closed_because?: string;
  max_score: number;
  count: number;
  services: string[];
  suspect?: string;
  sentence: string;
}

export interface Incident extends Brief {
  merged_into?: string;
  undetermined?: boolean;
  suspects: Suspect[];
  anomalies: Anomaly[];
  history?: { time: string; what: string }[];
  trace_ids?: string[];
  findings: Record<string, string>;
  changes: Record<string, string[]>;
  lines: Record<string, { template: string; example?: string }>;
}

export interface Bulletin {
  open: Brief[];
  closed: Brief[];
  open_total: number;
  closed_total: number;
}

export interface Status {
  version: string;
  started: string;
  points: number;
  series: number;
  warming: number;
  evicted: number;
  bytes: number;
  max_bytes: number;
  refused: Record<string, number>;
  held: Record<string, number>;
  signals: Record<string, { decisions_per_day: number; alpha: number; theta: number }>;
  false_alarms_per_day: number;
  open_anomalies: number;
  open_incidents: number;
  anomalies_opened: number;
  persisted: boolean;
  generation: number;
  snapshot_time?: string;
  pending_findings: number;
  dropped_findings: number;
  rejecting: boolean;
}

export interface Series extends Omit<Subject, "series"> {
  id: string;
  time: string;
  cadence_seconds: number;
  points: number;
  score: number;
  observed: number;
  expected?: number;
  lower?: number;
  upper?: number;
}

export interface Detail extends Series {
  signal: string;
  alpha: number;
  warming: boolean;
  season: boolean;
  away_since?: string;
  cooldown_seconds: number;
  min_duration_seconds: number;
  dry_run: boolean;
  silenced: boolean;
  open: boolean;
  bytes: number;
  why: string[];
}

export interface Template {
  id: string;
  service: string;
  template: string;
  example?: string;
  count: number;
  first: string;
  last: string;
  now: string;
  established: boolean;
  series: string;
  score: number;
  reason?: string;
  state: string;
  spark: (number | null)[];
}

export interface Service {
  name: string;
  series: number;
  time: string;
  max_score: number;
  open: number;
  warming: number;
  requests_per_second?: number;
  error_ratio?: number;
  p50_seconds?: number;
  p95_seconds?: number;
  records_per_second?: number;
  status: "incident" | "anomalous" | "learning" | "ok";
  incident?: string;
}

export interface Edge {
  from: string;
  to: string;
  from_kind: string;
  to_kind: string;
  calls: number;
}

export interface Silence {
  id: string;
  kind: "silence" | "normal";
  series?: string;
  template?: string;
  operation?: string;
  service?: string;
  who: string;
  why: string;
  at: string;
  expires: string;
}

export interface Flow {
  pipelines: { name: string; receivers: string[]; processors: string[]; exporters: string[] }[];
  components: { kind: string; id: string; signal: string; rates: Record<string, number>; totals: Record<string, number>; queue?: number; capacity?: number }[];
  dead_letters: Record<string, number>;
  taps: Place[];
  unavailable?: string;
}

/** A component whose records can be shown, for one signal. */
export interface Place {
  kind: string;
  id: string;
  signal: string;
}

/** A log record, data point, or span that passed a component. */
export interface TapRecord {
  time?: string;
  name: string;
  text: string;
  trace_id?: string;
  attributes?: Record<string, string>;
  resource?: Record<string, string>;
}

/** A report of `auspex backtest`. */
export interface Backtest {
  name: string;
  title: string;
  written: string;
  bytes: number;
}

export interface Health {
  bucket_seconds: number;
  services: Record<string, [number, number, number][]>;
  history: { series: number; points: number; bytes: number; max_bytes: number; oldest?: string; latest?: string };
}

/** An answer that is an error; the text states what is wrong and what to do. */
export class Refusal extends Error {
  constructor(readonly status: number, text: string) {
    super(text);
  }
}

async function read<T>(response: Response): Promise<T> {
  const body = (await response.json().catch(() => ({}))) as { error?: string };
  if (!response.ok) throw new Refusal(response.status, body.error ?? "The collector answered " + response.status + ".");
  return body as T;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return read<T>(await fetch("/api/v1/" + path, { signal: signal ?? null, headers: { Accept: "application/json" } }));
}

const change = { "X-Auspex-Request": "1", "Content-Type": "application/json" };

export async function addSilence(s: Partial<Silence>): Promise<Silence> {
  return read<Silence>(await fetch("/api/v1/silences", { method: "POST", headers: change, body: JSON.stringify(s) }));
}

/** Answers the next records that pass a component, or those of ten seconds. */
export async function openTap(at: Place, signal: AbortSignal): Promise<{ records: TapRecord[]; full: boolean }> {
  return read(await fetch("/api/v1/tap", { method: "POST", headers: change, body: JSON.stringify(at), signal }));
}

export async function removeSilence(id: string, who: string): Promise<Silence> {
  return read<Silence>(await fetch("/api/v1/silences/" + encodeURIComponent(id) + "?who=" + encodeURIComponent(who), { method: "DELETE", headers: change }));
}
