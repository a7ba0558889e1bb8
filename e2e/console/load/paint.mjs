// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Measures the first contentful paint of pages: node paint.mjs BASE {"name": "/path"}.
// It prints {"name": milliseconds}, the median of three, each in a fresh context.
import { createRequire } from "node:module";
import { join } from "node:path";

const { chromium } = createRequire(join(process.env.MODULES, "x.js"))("playwright-core");
const [base, paths] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

async function paint(path) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto(base + path);
  await page.locator("main h1").waitFor();
  const at = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity);
  await context.close();
  return at;
}

try {
  const out = {};
  await paint("/"); // starts the browser's processes
  for (const [name, path] of Object.entries(JSON.parse(paths))) {
    const list = [await paint(path), await paint(path), await paint(path)].sort((a, b) => a - b);
    out[name] = list[1];
  }
  console.log(JSON.stringify(out));
} finally {
  await browser.close();
}
