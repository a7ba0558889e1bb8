// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

/** How many anomalies another false-alarm budget would have opened. Pure functions. */

export interface Opened {
  surprise: number;
  max_score: number;
  opened: string;
}

/**
 * Returns the score that an anomaly would have at a budget that is factor times the
 * present one. The score is surprise / -ln α, and α is proportional to the budget.
 */
export function scoreAt(a: Opened, factor: number): number {
  const surprise = Math.abs(a.surprise);
  if (!(surprise > 0) || !(a.max_score > 0)) return a.max_score;
  const threshold = surprise / a.max_score - Math.log(factor);
  return threshold > 0 ? surprise / threshold : Infinity;
}

/** Counts the anomalies that opened within so many days before the latest, at factor times the budget. Only what opened is known, so factors above 1 count what is there. */
export function wouldOpen(list: Opened[], factor: number, days = 7): number {
  const latest = Math.max(...list.map((a) => new Date(a.opened).getTime()));
  return list.filter((a) => new Date(a.opened).getTime() > latest - days * 86_400_000 && scoreAt(a, Math.min(factor, 1)) >= 1).length;
}
