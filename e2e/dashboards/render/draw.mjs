// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Draws a dashboard in Chromium: node draw.mjs PAGE DATA PICTURE. It fails if a panel shows nothing or reports an error.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const [page, data, picture] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  const tab = await browser.newPage({ viewport: { width: 1440, height: 200 } });
  const problems = [];
  tab.on("pageerror", (e) => problems.push(e.message));
  await tab.goto("file://" + page);
  const panels = await tab.evaluate((d) => window.draw(d), JSON.parse(readFileSync(data, "utf8")));
  await tab.waitForTimeout(500);
  // Tables draw only the rows that are in view.
  await tab.setViewportSize({ width: 1440, height: await tab.evaluate(() => document.documentElement.scrollHeight) });
  await tab.waitForTimeout(1500);
  problems.push(...(await tab.evaluate(() => window.problems)));
  for (const p of panels) {
    const rows = Math.max(0, ...p.fields.map((f) => f.rows));
    if (rows === 0) problems.push(p.title + " shows nothing");
    console.log(`${p.type}: ${p.title}: ` + p.fields.filter((f) => f.name !== "Time").slice(0, 8).map((f) => `${f.name} (${f.rows}) ${f.last.slice(0, 40)}`).join(", "));
  }
  await tab.screenshot({ path: picture, fullPage: true });
  if (problems.length) {
    console.error(problems.join("\n"));
    process.exitCode = 1;
  }
} finally {
  await browser.close();
}
