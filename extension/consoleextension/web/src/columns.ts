// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

/** Points of a series by column, and what charts need of them. Pure functions. */

export interface Columns {
  time: number[];
  value: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
  expected: (number | null)[];
  lower: (number | null)[];
  upper: (number | null)[];
  score: (number | null)[];
}

/** Returns the values that lie outside their interval, null elsewhere. */
export function outside(c: Columns): (number | null)[] {
  return c.value.map((v, i) => {
    const low = c.lower[i], high = c.upper[i];
    if (v === null || low === null || high === null || low === undefined || high === undefined) return null;
    if ((c.max[i] ?? v) > high) return c.max[i] ?? v;
    if ((c.min[i] ?? v) < low) return c.min[i] ?? v;
    return null;
  });
}

/** Moves points by so many seconds and returns their values at the given times: those of the nearest point within tolerance, else null. */
export function align(times: number[], earlier: Columns, shift: number, tolerance: number): (number | null)[] {
  let i = 0;
  return times.map((t) => {
    while (i + 1 < earlier.time.length && Math.abs(earlier.time[i + 1]! + shift - t) <= Math.abs(earlier.time[i]! + shift - t)) i++;
    const at = earlier.time[i];
    return at !== undefined && Math.abs(at + shift - t) <= tolerance ? earlier.value[i] ?? null : null;
  });
}

/** Returns the usual distance of two points, seconds. */
export function cadence(times: number[]): number {
  const gaps = times.slice(1).map((t, i) => t - times[i]!).sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 2)] ?? 60;
}

/** Cuts off what an extreme interval would do to a chart: the range of values, widened by what is expected as long as that stays near. */
export function range(c: Columns): [number, number] {
  const numbers = (list: (number | null)[]) => list.filter((v): v is number => v !== null);
  const values = [...numbers(c.min), ...numbers(c.max), ...numbers(c.expected)];
  if (values.length === 0) return [0, 1];
  let low = Math.min(...values), high = Math.max(...values);
  const span = high - low || Math.abs(high) || 1;
  for (const v of [...numbers(c.lower), ...numbers(c.upper)]) {
    if (v > high && v <= high + 2 * span) high = v;
    if (v < low && v >= low - 2 * span) low = v;
  }
  if (low > 0 && low < (high - low) * 2) low = 0;
  const margin = (high - low || 1) * 0.06;
  return [low === 0 ? 0 : low - margin, high + margin];
}
