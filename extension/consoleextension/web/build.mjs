// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Builds dist from src: node build.mjs MODULES, where MODULES is a node_modules folder.
// It writes the hash of the sources beside the bundle, and prints the bundle's size.
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const modules = resolve(process.argv[2]);
const { build } = createRequire(join(modules, "x.js"))("esbuild");

await build({
  entryPoints: ["src/main.tsx"], outfile: "dist/app.js", bundle: true, minify: true, format: "esm", target: "es2023",
  jsx: "automatic", jsxImportSource: "preact", nodePaths: [modules], legalComments: "none", logLevel: "warning",
  banner: { js: "// Copyright The Auspex Authors. SPDX-License-Identifier: Apache-2.0. Contains preact, uPlot and dagre (MIT)." },
});
copyFileSync("src/index.html", "dist/index.html");
copyFileSync("src/icon.svg", "dist/icon.svg");

const sources = readdirSync("src", { recursive: true, withFileTypes: true })
  .filter((f) => f.isFile() && !f.name.includes(".test."))
  .map((f) => join(f.parentPath, f.name));
const hash = createHash("sha256");
for (const name of [...sources, "build.mjs", "package.json", "tsconfig.json"].sort()) hash.update(name + "\n").update(readFileSync(name)).update("\n");
writeFileSync("dist/sources.sha256", hash.digest("hex") + "\n");

let total = 0;
for (const name of ["index.html", "app.js", "app.css", "icon.svg"]) {
  const size = gzipSync(readFileSync("dist/" + name), { level: 9 }).length;
  total += size;
  console.log(name.padEnd(12) + (size / 1000).toFixed(1).padStart(7) + " kB gzip");
}
console.log("total".padEnd(12) + (total / 1000).toFixed(1).padStart(7) + " kB gzip");
if (total > 150_000) {
  console.error("The bundle is larger than 150 kB gzip.");
  process.exit(1);
}
