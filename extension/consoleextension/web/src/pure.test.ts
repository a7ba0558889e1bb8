// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { scoreAt, wouldOpen } from "./budget.ts";
import { align, cadence, outside, range } from "./columns.ts";
import type { Columns } from "./columns.ts";
import { count, duration, localize, number, percent, quantity, time } from "./format.ts";
import { address, choice, parse } from "./route.ts";

test("numbers have about three digits", () => {
  for (const [v, want] of [
    [0, "0"], [1, "1"], [1.2345, "1.23"], [12.345, "12.3"], [123.45, "123"], [1234, "1234"], [12_345, "12.3k"], [1_602_682, "1.6M"], [2.5e9, "2.5G"], [7e13, "70T"],
    [0.0667, "0.0667"], [0.00012, "0.00012"], [-0.5, "-0.5"], [1e-7, "1.00e-7"], [3e20, "3.00e20"], [NaN, "–"], [null, "–"], [undefined, "–"], [Infinity, "–"],
  ] as const) assert.equal(number(v), want, String(v));
});

test("quantities have units that people read", () => {
  for (const [v, unit, statistic, want] of [
    [0.0516, "s", "mean", "51.6 ms"], [75, "s", "", "1.25 min"], [0, "s", "", "0 s"], [250, "ms", "", "250 ms"], [1500, "ms", "", "1.5 s"],
    [3 * 2 ** 20, "By", "value", "3 MiB"], [2048, "By/s", "rate", "2 KiB/s"], [0.125, "1", "error_ratio", "12.5 %"], [0.5, "1", "value", "0.5"],
    [5, "{message}", "value", "5 message"], [12, "{request}/s", "rate", "12 request/s"], [12, "1/s", "rate", "12/s"], [42, "%", "value", "42 %"], [7, "", "value", "7"],
    [null, "s", "", "–"], [-0.5, "s", "", "-500 ms"], [1e-12, "s", "", "0.001 ns"],
  ] as const) assert.equal(quantity(v, unit, statistic), want, v + " " + unit);
  assert.equal(percent(0.0123), "1.23 %");
  assert.equal(count(1, "anomaly", "anomalies"), "1 anomaly");
  assert.equal(count(2, "service"), "2 services");
});

test("times are short where they are of today", () => {
  const now = new Date("2026-05-04T14:00:00Z");
  assert.equal(time("2026-05-04T10:42:05Z", "utc", now), "10:42:05");
  assert.equal(time("2026-05-04T10:42:05Z", "utc", now, false), "10:42");
  assert.equal(time("2026-05-03T10:42:05Z", "utc", now), "2026-05-03 10:42:05");
  assert.equal(time("nonsense", "utc", now), "–");
  assert.equal(new Date(2026, 4, 4, 9, 5, 6).toString() !== "" && time(new Date(2026, 4, 4, 9, 5, 6), "local", new Date(2026, 4, 4)), "09:05:06");
});

test("durations", () => {
  for (const [s, want] of [[0, "0 s"], [59, "59 s"], [60, "1 min"], [3599, "1 h"], [3600, "1 h"], [12_000, "3 h 20 min"], [187_200, "2 d 4 h"], [-5, "0 s"]] as const) assert.equal(duration(s), want, String(s));
});

test("sentences have the times of the reader", () => {
  const sentence = "cart is slow, since 23:50:10 UTC. Closed at 00:10:00 UTC: it recovered.";
  assert.equal(localize(sentence, "2026-05-04T23:50:10Z", "utc"), sentence);
  const local = localize(sentence, "2026-05-04T23:50:10Z", "local");
  assert.equal(local.includes("UTC"), false);
  assert.ok(local.includes("since " + time("2026-05-04T23:50:10Z", "local", new Date("2026-05-04T23:50:10Z"))));
  assert.ok(local.includes("at " + time("2026-05-05T00:10:00Z", "local", new Date("2026-05-05T00:10:00Z"))), local);
  assert.equal(localize("no time here", "x", "local"), "no time here");
});

test("addresses lead to views and back", () => {
  assert.deepEqual(parse("/", ""), { view: "now", id: "", query: {} });
  assert.deepEqual(parse("/series", "?q=a+b&service=x%26y"), { view: "series", id: "", query: { q: "a b", service: "x&y" } });
  assert.equal(parse("/backtests", "").view, "backtests");
  assert.deepEqual(parse("/incidents/0123456789abcdef", ""), { view: "incident", id: "0123456789abcdef", query: {} });
  assert.deepEqual(parse("/series/%E0%A4%A", ""), { view: "one-series", id: "%E0%A4%A", query: {} });
  for (const path of ["/nowhere", "/series/a/b", "/logs/x", "/backtests/x", "//evil.example", "/__proto__", "/constructor"]) assert.equal(parse(path, "").view, "missing", path);
  assert.equal(address("/series", { q: "a b", service: undefined, metric: "" }), "/series?q=a+b");
  assert.equal(choice("6", ["1", "6"]), "6");
  assert.equal(choice("x", ["1", "6"]), "1");
  assert.equal(choice(undefined, ["1", "6"]), "1");
});

const columns = (value: (number | null)[], lower: (number | null)[], upper: (number | null)[]): Columns => ({
  time: value.map((_, i) => i * 10), value, min: value, max: value, expected: value.map(() => null), lower, upper, score: value.map(() => 0),
});

test("points outside their interval are marked", () => {
  assert.deepEqual(outside(columns([1, 5, 9, null, 9], [2, 2, 2, 2, null], [8, 8, 8, 8, null])), [1, null, 9, null, null]);
  const merged = { ...columns([5], [2], [8]), max: [11] };
  assert.deepEqual(outside(merged), [11], "an extreme within merged points counts");
});

test("earlier values are laid over later ones", () => {
  const earlier = columns([1, 2, 3], [null, null, null], [null, null, null]);
  assert.deepEqual(align([100, 111, 119, 500], earlier, 100, 15), [1, 2, 3, null]);
  assert.deepEqual(align([1, 2], columns([], [], []), 100, 15), [null, null]);
  assert.equal(cadence([0, 10, 20, 400]), 10);
  assert.equal(cadence([1]), 60);
});

test("a wide interval does not flatten the values", () => {
  const [low, high] = range(columns([50, 52, 51], [49, 49, -1e6], [53, 53, 1e6]));
  assert.ok(low > 40 && high < 60, low + " to " + high);
  assert.deepEqual(range(columns([], [], [])), [0, 1]);
  assert.equal(range(columns([0, 10], [0, 0], [12, 12]))[0], 0, "what begins at 0 is drawn from 0");
});

test("another budget would have opened fewer", () => {
  // α = e^-10: surprise 12 gives a score of 1.2.
  const a = { surprise: 12, max_score: 1.2, opened: "2026-05-04T10:00:00Z" };
  assert.equal(scoreAt(a, 1), 1.2);
  assert.ok(Math.abs(scoreAt(a, Math.exp(-2)) - 1) < 1e-9);
  assert.equal(scoreAt({ ...a, surprise: -12 }, 1), 1.2, "the sign of a surprise does not matter");
  assert.equal(scoreAt({ ...a, max_score: 0 }, 0.5), 0);
  const list = [a, { ...a, surprise: 40, max_score: 4 }, { ...a, opened: "2026-04-01T10:00:00Z" }];
  assert.equal(wouldOpen(list, 1), 2, "of the last week");
  assert.equal(wouldOpen(list, 0.01), 1);
  assert.equal(wouldOpen([], 1), 0);
});
