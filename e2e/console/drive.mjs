// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Drives the page of the console: node drive.mjs demo|restart|hotrod. The environment says
// where things are, see console_test.go. It writes screenshots and figures to OUT.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { MODULES, PAGE, OTLP, OUT, BROKEN, SUSPECT, INCIDENT } = process.env;
const require = createRequire(join(MODULES, "x.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const markup = "<img src=x onerror=window.hacked=1>";
const step = (text) => console.log("ok  " + text);

mkdirSync(OUT, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

/** Opens a page that fails on errors, on dialogs, and on requests to any other host. */
async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: PAGE });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (m) => { if (m.type() === "error" && !m.text().includes("404")) faults.push("console: " + m.text()); });
  page.on("pageerror", (e) => faults.push("error: " + e.message));
  page.on("dialog", (d) => { faults.push("dialog: " + d.message()); void d.dismiss(); });
  page.on("request", (r) => { if (!r.url().startsWith(PAGE) && !r.url().startsWith("data:")) faults.push("request to " + r.url()); });
  return { page, context, faults, async close() { assert.deepEqual(faults, []); await context.close(); } };
}

const api = async (path, options) => (await fetch(PAGE + "/api/v1/" + path, options)).json();
const text = (page, selector) => page.locator(selector).first().innerText();
const addresses = (series) => ({
  now: "/", incident: "/incidents/" + INCIDENT, "series-list": "/series", series: "/series/" + series, logs: "/logs", services: "/services",
  pipelines: "/pipelines", silences: "/silences", backtests: "/backtests", about: "/about",
});

async function hostileLines() {
  const now = BigInt(Date.now()) * 1_000_000n;
  const records = Array.from({ length: 20 }, (_, i) => ({ timeUnixNano: String(now + BigInt(i)), severityNumber: 17, body: { stringValue: "failed to render " + markup + " for user " + i + " password=hunter2" } }));
  const response = await fetch(OTLP + "/v1/logs", {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ resourceLogs: [{ resource: { attributes: [{ key: "service.name", value: { stringValue: "hostile " + markup } }] }, scopeLogs: [{ logRecords: records }] }] }),
  });
  assert.equal(response.status, 200);
}

async function incident() {
  const t = await open();
  const { page } = t;
  await page.goto(PAGE + "/");
  const card = page.locator(".incident:not(.closed)").first();
  await card.waitFor();
  const named = await card.locator("h3").innerText();
  assert.ok(named.includes(BROKEN) || named.includes(SUSPECT), "the first incident names " + named + ", not " + SUSPECT);
  await page.goto(PAGE + "/incidents/" + INCIDENT);
  await page.locator("ol.cards .card").first().waitFor();
  const suspects = await page.locator("ol.cards .card h3").allInnerTexts();
  assert.ok(suspects[0].includes(BROKEN) || suspects[0].includes(SUSPECT), "the first suspect is " + suspects[0]);
  step("the broken service (" + BROKEN + ") is named first: " + suspects.join(" | ").replace(/\n/g, " "));
  await page.locator("figure .chart canvas").first().waitFor();
  const label = await page.locator("figure .chart").first().getAttribute("aria-label");
  assert.match(label, /\d+ points from .+ to .+; [1-9]\d* outside the interval/);
  step("its chart has the value and the interval: " + label);

  await page.getByRole("button", { name: "Copy link" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), PAGE + "/incidents/" + INCIDENT);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download report" }).click()]);
  const file = join(OUT, "report.html");
  await download.saveAs(file);
  const report = readFileSync(file, "utf8");
  assert.ok(report.includes("<svg") && !/<[^>]*(src|href)=|<script/.test(report));
  const offline = await browser.newContext({ offline: true });
  const reading = await offline.newPage();
  await reading.goto("file://" + file);
  await reading.screenshot({ path: join(OUT, "report.png") });
  await offline.close();
  step("the link is copied, and the report is one file of " + Math.round(report.length / 1000) + " kB");

  await page.locator("ol.cards .card").first().getByRole("link").nth(1).click();
  await page.getByRole("heading", { name: "What the model knows" }).waitFor();
  await page.getByRole("button", { name: "1 h", exact: true }).click();
  assert.match(page.url(), /hours=1/);
  await page.reload();
  await page.locator(".chart canvas").first().waitFor();
  assert.equal(await page.getByRole("button", { name: "1 h", exact: true }).getAttribute("aria-pressed"), "true");
  assert.match(await text(page, "dl.facts"), /Expected/);
  assert.ok((await page.locator("section ul li").count()) >= 1);
  await page.goBack();
  await page.locator("ol.cards .card").first().waitFor();
  assert.match(page.url(), new RegExp("/incidents/" + INCIDENT));
  step("a reload keeps the state of the view, and the back button works");
  await t.close();
}

async function silences() {
  const t = await open();
  const { page } = t;
  await page.goto(PAGE + "/incidents/" + INCIDENT);
  for (const [button, submit, why] of [["Silence …", "Silence", "load test"], ["This is normal …", "Learn as normal", "new level"]]) {
    await page.getByRole("button", { name: button }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill(why + " " + markup);
    await dialog.getByLabel("Your name").fill("ann");
    await dialog.getByRole("button", { name: submit, exact: true }).click();
    await dialog.waitFor({ state: "detached" });
  }
  await page.goto(PAGE + "/silences");
  await page.locator("table").nth(1).waitFor();
  const rows = await page.locator("table").first().locator("tbody tr").allInnerTexts();
  assert.equal(rows.length, 2);
  assert.ok(rows.some((r) => r.startsWith("silence") && r.includes("load test <img")) && rows.some((r) => r.startsWith("normal")));
  const audit = await page.locator("table").nth(1).locator("tbody tr").allInnerTexts();
  assert.ok(audit.every((r) => r.includes("ann")) && audit.length === 2);
  step("a silence and a normal level are in effect and in the audit");
  await page.getByLabel("Your name, to end one").fill("bob");
  await page.getByRole("row", { name: /^normal/ }).getByRole("button", { name: "End" }).click();
  await page.getByText("remove normal").waitFor();
  assert.equal(await page.locator("table").first().locator("tbody tr").count(), 1);
  step("bob ended one of them");
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  await t.close();
}

async function hostile() {
  const t = await open();
  const { page } = t;
  await page.goto(PAGE + "/logs?q=render");
  await page.getByText("failed to render").first().waitFor({ timeout: 60_000 });
  const shown = await text(page, ".template pre");
  assert.ok(shown.includes("<img"), shown);
  await page.locator("summary").first().click();
  for (const path of ["/", "/services", "/series?q=hostile", "/silences"]) {
    await page.goto(PAGE + path);
    await page.locator("main h1").waitFor();
    await page.waitForTimeout(500);
    assert.equal(await page.locator("main img").count(), 0, path);
  }
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  step("a log line with markup is shown as text: " + shown);
  await t.close();
}

async function badAddresses() {
  const t = await open();
  for (const [path, want] of [["/incidents/0000000000000000", /Not found/], ["/series/nonsense", /The collector refused this|Not found/], ["/nowhere", null], ["/series/0000000000000000", /Not found/]]) {
    const response = await t.page.goto(PAGE + path);
    assert.equal(response.status(), 404, path);
    if (want) assert.match(await text(t.page, ".failure"), want, path);
  }
  for (const path of ["series?limit=x", "series?foo=1", "series/xyz", "series/0000000000000000/points?from=now", "templates?state=x", "incidents?state=x"]) {
    const response = await fetch(PAGE + "/api/v1/" + path);
    assert.equal(response.status, 400, path);
    assert.ok((await response.json()).error.length > 10);
  }
  t.faults.length = 0; // the browser reports each 4xx
  await t.close();
  step("unknown ids and wrong parameters are answered with a reason");
}

async function withoutScript() {
  const t = await open({ javaScriptEnabled: false });
  await t.page.goto(PAGE + "/");
  assert.match(await text(t.page, "body"), /Open incidents/);
  step("without JavaScript the open incidents are there");
  await t.close();
}

async function keyboard(series) {
  const t = await open();
  const { page } = t;
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() || document.activeElement?.tagName);
  await page.goto(PAGE + "/series/" + series);
  await page.getByRole("heading", { name: "What the model knows" }).waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to the content");
  await page.keyboard.press("Enter");
  for (let i = 0; i < 40 && (await focused()) !== "Silence …"; i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.goto(PAGE + "/");
  await page.locator("main h1").waitFor();
  for (let i = 0; i < 12 && (await focused()) !== "Services"; i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Services", exact: true }).waitFor();
  step("the keyboard alone reaches the dialog and another view");
  await t.close();
}

async function views(series) {
  const problems = [], figures = {};
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 390]) {
      const t = await open({ colorScheme, viewport: { width, height: width > 500 ? 900 : 844 } });
      await t.page.addInitScript(() => {
        window.shift = 0;
        new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.shift += e.value; }).observe({ type: "layout-shift", buffered: true });
      });
      for (const [name, path] of Object.entries(addresses(series))) {
        await t.page.goto(PAGE + path);
        await t.page.locator("main h1").waitFor();
        await t.page.waitForTimeout(1500);
        await t.page.screenshot({ path: join(OUT, [name, colorScheme, width].join("-") + ".png") });
        const wide = await t.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wide > 0) problems.push(name + " is " + wide + " pixels wider than " + width);
        const shift = await t.page.evaluate(() => window.shift);
        if (shift > 0.1) problems.push(name + " " + width + ": layout shift of " + shift.toFixed(3));
        const paint = await t.page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
        figures[name] = Math.max(figures[name] ?? 0, Math.round(paint));
        await t.page.evaluate(axe);
        const { violations } = await t.page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }));
        for (const v of violations) problems.push([name, colorScheme, width, v.impact, v.id, v.nodes[0].html.slice(0, 120), v.nodes[0].failureSummary].join(" · "));
      }
      await t.close();
    }
  }
  console.log("first contentful paint, ms, at most: " + JSON.stringify(figures));
  assert.deepEqual(problems, []);
  step("every view in both themes, wide and narrow: no axe finding, no overflow, no layout shift");
}

async function demo() {
  await hostileLines();
  const i = await api("incidents/" + INCIDENT);
  const series = (i.suspects.find((s) => s.evidence.series) ?? { evidence: i.anomalies[0] }).evidence.series;
  await incident();
  await views(series);
  await badAddresses();
  await withoutScript();
  await keyboard(series);
  await tapLogs();
  await hostileLines();
  await silences();
  await hostile();
  writeFileSync(join(OUT, "series.txt"), series);
}

/** After a restart: what was silenced, the incident, and the chart history are still there. */
async function restart() {
  const series = readFileSync(join(OUT, "series.txt"), "utf8");
  const t = await open();
  await t.page.goto(PAGE + "/silences");
  await t.page.locator("table").nth(1).waitFor();
  assert.equal(await t.page.locator("table").first().locator("tbody tr").count(), 1);
  assert.match(await text(t.page, "main"), /remove normal/);
  await t.page.goto(PAGE + "/incidents/" + INCIDENT);
  await t.page.locator("ol.cards .card").first().waitFor();
  const points = await api("series/" + series + "/points");
  assert.ok(points.time.length > 500, points.time.length + " points");
  const hours = (points.time.at(-1) - points.time[0]) / 3600;
  assert.ok(hours > 20, hours + " hours");
  await backtests(t.page);
  step("after a restart: silences, audit, the incident, and " + hours.toFixed(0) + " hours of chart history");
  await t.close();
}

/** The list of reports leads to a report with its own style and without scripts. */
async function backtests(page) {
  await page.goto(PAGE + "/backtests");
  await page.locator("table a").first().waitFor();
  await page.screenshot({ path: join(OUT, "backtests.png") });
  await page.getByRole("link", { name: "history" }).click();
  await page.locator("figure svg").first().waitFor();
  assert.equal(await page.locator("script").count(), 0);
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector("path.value")).fill), "none", "the style sheet is in effect");
  await page.screenshot({ path: join(OUT, "backtest-report.png"), fullPage: true });
  await page.goBack();
  await page.getByRole("heading", { name: "Backtests" }).waitFor();
  step("the list of backtests leads to a report");
}

/** Screenshots of what the page states of HotROD, whose database is slow. */
async function hotrod() {
  const i = await api("incidents/" + INCIDENT);
  console.log("the page states: " + i.sentence);
  const series = (i.suspects.find((s) => s.evidence.series) ?? { evidence: i.anomalies[0] }).evidence.series;
  const t = await open();
  for (const [name, path] of [["now", "/"], ["incident", "/incidents/" + INCIDENT], ["series", "/series/" + series + "?hours=1"], ["services", "/services"]]) {
    await t.page.goto(PAGE + path);
    await t.page.locator("main h1").waitFor();
    await t.page.waitForTimeout(2000);
    await t.page.screenshot({ path: join(OUT, "hotrod-" + name + ".png") });
  }
  assert.match(await text(t.page, "main"), /customer/);
  await tap(t.page, /GET|SELECT|Find|dispatch|Driver|Get/);
  await t.page.screenshot({ path: join(OUT, "hotrod-tap.png") });
  await t.close();
}

/** Taps the anomaly processor of the first pipeline that has one, and expects a record that matches. */
async function tap(page, expected) {
  await page.goto(PAGE + "/pipelines");
  const section = page.getByRole("region", { name: "Records that pass anomaly" }).first();
  await section.getByRole("button", { name: "Show records at anomaly" }).click();
  await section.locator(".records li").first().waitFor({ timeout: 20_000 });
  const records = await section.locator(".records").innerText();
  assert.match(records, expected);
  await section.locator("summary").first().click();
  step("the tap shows " + (await section.locator(".records li").count()) + " records, such as " + records.split("\n")[0]);
}

/** A tap of the log pipeline shows lines without their secrets. */
async function tapLogs() {
  const t = await open();
  const sending = setInterval(() => void hostileLines(), 500);
  try {
    await t.page.goto(PAGE + "/pipelines");
    const section = t.page.getByRole("listitem").filter({ has: t.page.getByRole("heading", { name: "logs", exact: true }) }).getByRole("region", { name: "Records that pass anomaly" });
    await section.getByRole("button").first().click();
    await section.locator(".records li").first().waitFor({ timeout: 20_000 });
    const records = await section.locator(".records").innerText();
    assert.ok(records.includes("<img") && records.includes("password=<*>") && !records.includes("hunter2"), records);
    await section.locator("summary").first().click();
    await t.page.evaluate(() => scrollTo(0, 0));
    await t.page.screenshot({ path: join(OUT, "tap.png") });
    const axeProblems = await t.page.evaluate(axe).then(() => t.page.evaluate(async () => (await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] })).violations.map((v) => v.id)));
    assert.deepEqual(axeProblems, []);
    step("the tap shows log records with their markup as text and without their password");
  } finally {
    clearInterval(sending);
  }
  await t.close();
}

try {
  await { demo, restart, hotrod }[process.argv[2]]();
} finally {
  await browser.close();
}
