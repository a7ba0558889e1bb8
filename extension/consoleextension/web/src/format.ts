// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

/** How numbers, units, and times are written. Pure functions. */

export type Zone = "local" | "utc";

const durations: [string, number][] = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1], ["ms", 1e-3], ["µs", 1e-6], ["ns", 1e-9]];
const sizes: [string, number][] = [["TiB", 2 ** 40], ["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10], ["B", 1]];

/** UCUM units whose values are shown in a unit of a ladder, and how many of its unit of size 1 each has. */
const ladders: Record<string, [[string, number][], number]> = {
  d: [durations, 86400], h: [durations, 3600], min: [durations, 60], s: [durations, 1], ms: [durations, 1e-3], us: [durations, 1e-6], ns: [durations, 1e-9],
  TiBy: [sizes, 2 ** 40], GiBy: [sizes, 2 ** 30], MiBy: [sizes, 2 ** 20], KiBy: [sizes, 2 ** 10], By: [sizes, 1],
};

/** Writes a number with about three significant digits, and large ones with k, M, G. */
export function number(v: number | null | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return "–";
  const size = Math.abs(v);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return v.toExponential(2).replace("e+", "e");
  for (const [suffix, by] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e4]] as const) {
    if (size >= by) return digits(v / (suffix === "k" ? 1e3 : by)) + suffix;
  }
  return digits(v);
}

function digits(v: number): string {
  const size = Math.abs(v);
  const places = Number.isInteger(v) ? 0 : size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size === 0 ? 0 : Math.min(6, 2 - Math.floor(Math.log10(size)));
  return String(Number(v.toFixed(places)));
}

/** Writes values of one unit. UCUM annotations lose their braces; shares become percentages. */
export function quantity(v: number | null | undefined, unit: string, statistic = ""): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return "–";
  if (statistic === "error_ratio" || unit === "1") return statistic === "error_ratio" ? number(v * 100) + " %" : number(v);
  const perSecond = unit.endsWith("/s");
  const base = perSecond ? unit.slice(0, -2) : unit;
  const ladder = ladders[base];
  if (ladder) {
    const [steps, factor] = ladder;
    const size = Math.abs(v) * factor;
    const step = steps.find(([, n]) => size >= n) ?? (size === 0 ? steps.find(([, n]) => n === 1)! : steps[steps.length - 1]!);
    return number((v * factor) / step[1]) + " " + step[0] + (perSecond ? "/s" : "");
  }
  const name = base === "1" ? "" : base.replace(/[{}]/g, "");
  const text = name + (perSecond ? "/s" : "");
  return number(v) + (text ? (text.startsWith("/") ? text : (text === "%" ? " %" : " " + text)) : "");
}

export const percent = (share: number): string => number(share * 100) + " %";

const pad = (n: number, width = 2): string => String(n).padStart(width, "0");

/** Writes a time as 14:05:09, with the date where it is not of today. */
export function time(at: Date | string | number, zone: Zone, now: Date = new Date(), seconds = true): string {
  const t = new Date(at);
  if (Number.isNaN(t.getTime())) return "–";
  const clock = pad(zone === "utc" ? t.getUTCHours() : t.getHours()) + ":" + pad(zone === "utc" ? t.getUTCMinutes() : t.getMinutes()) +
    (seconds ? ":" + pad(zone === "utc" ? t.getUTCSeconds() : t.getSeconds()) : "");
  return date(t, zone) === date(now, zone) ? clock : date(t, zone) + " " + clock;
}

export function date(t: Date, zone: Zone): string {
  return zone === "utc" ? t.toISOString().slice(0, 10) : pad(t.getFullYear(), 4) + "-" + pad(t.getMonth() + 1) + "-" + pad(t.getDate());
}

/** Writes how long something lasts: 45 s, 12 min, 3 h 20 min, 2 d 4 h. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return s + " s";
  const min = Math.round(s / 60);
  if (min < 60) return min + " min";
  if (min < 48 * 60) return Math.floor(min / 60) + " h" + (min % 60 ? " " + (min % 60) + " min" : "");
  const h = Math.round(min / 60);
  return Math.floor(h / 24) + " d" + (h % 24 ? " " + (h % 24) + " h" : "");
}

export const between = (from: string, to: string): number => (new Date(to).getTime() - new Date(from).getTime()) / 1000;

export const count = (n: number, what: string, plural = what + "s"): string => number(n) + " " + (n === 1 ? what : plural);

/** Replaces times of day in UTC, as the collector's sentences have them, by those of the reader. near is a time within half a day of them. */
export function localize(sentence: string, near: string, zone: Zone): string {
  if (zone === "utc") return sentence;
  const base = new Date(near);
  return sentence.replace(/\b(\d\d):(\d\d):(\d\d) UTC\b/g, (text, h: string, m: string, s: string) => {
    let t = Date.UTC(base.getUTCFullYear(), base.getUTCMonth(), base.getUTCDate(), Number(h), Number(m), Number(s));
    if (Number.isNaN(t)) return text;
    const half = 43_200_000;
    if (t - base.getTime() > half) t -= 2 * half;
    if (base.getTime() - t > half) t += 2 * half;
    return time(t, zone, new Date(t));
  });
}
